/** Trains on WebGPU and on the CPU in a process of its own, and prints what the test compares as one line of JSON. */
import { createOrtEngine } from '@cyclegan/train';
import { Tensor } from 'onnxruntime-node';
import { inputsOf, runSteps, tinyEngine } from './engine-support.mjs';

let freed = 0;
const { dispose } = Tensor.prototype;
Tensor.prototype.dispose = function () {
  if (this.location === 'gpu-buffer') freed++;
  dispose.call(this);
};

const open = (device) => {
  const options = tinyEngine({ device, stepsPerRun: 2 });
  return createOrtEngine(options).then((engine) => ({
    engine,
    run: (from, to) => runSteps(engine, options, from, to),
  }));
};
const lists = (state) =>
  ['G', 'D'].flatMap((group) => ['parameters', 'm', 'v'].map((key) => [...state.groups[group][key]]));
const [{ a, b }] = inputsOf(tinyEngine(), 0, 1);

const cpu = await open('cpu');
const expected = await cpu.run(0, 2);
const expectedState = await cpu.engine.getState();
expected.push(...(await cpu.run(2, 5)));
const expectedSample = await cpu.engine.sample({ a, b });

const gpu = await open('webgpu');
const before = await gpu.run(0, 2);
const freedBySteps = freed;
const saved = await gpu.engine.getState();
const after = await gpu.run(2, 5);
const { updates } = await gpu.engine.getState();
const sample = await gpu.engine.sample({ a, b });

await gpu.engine.setState(saved);
const freedAt = freed;
const resumed = await gpu.run(2, 3);
await gpu.engine.dispose();
await gpu.engine.dispose();

await cpu.engine.setState(saved);
const onCpu = await cpu.run(2, 3);
await cpu.engine.dispose();

console.log(
  JSON.stringify({
    device: gpu.engine.device,
    expected,
    losses: [...before, ...after],
    resumed,
    onCpu,
    freed: { bySteps: freedBySteps, bySetState: freedAt - freedBySteps, byDispose: freed - freedAt },
    updates: [saved.updates, updates],
    state: lists(saved),
    expectedState: lists(expectedState),
    stored: [saved.pools.A.length / a.length, saved.pools.B.length / b.length],
    sample: [...sample.fakeB],
    expectedSample: [...expectedSample.fakeB],
  }),
);
