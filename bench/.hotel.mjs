import { renderEmojiSet } from '@cyclegan/example-emoji';
import { train } from '@cyclegan/train';
let t=performance.now();
const set=await renderEmojiSet({pair:'colour-ink',out:'/tmp/w/hotel/icons32',size:32});
console.log('render',performance.now()-t,set.counts);
t=performance.now();
const c=process.cpuUsage();
const r=await train({a:set.folders.trainA,b:set.folders.trainB,out:'/tmp/w/hotel/try'+Date.now(),size:32,ngf:Number(process.argv[2]),blocks:Number(process.argv[3]),steps:60,threads:1,device:'cpu',lambdaIdentity:0,lambdaGanA:0,lambdaGanB:0,pool:50,onEvent:e=>{if(e.type==='started')console.log('start',performance.now()-t); if(e.type==='progress'&&e.step%20===0)console.log(e.step,performance.now()-t)}});
console.log(performance.now()-t,process.cpuUsage(c));
