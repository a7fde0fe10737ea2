// A training process to be killed: train-child.mjs OPTIONS, the options of train() as JSON. Prints the step after each one.
import { train } from '@cyclegan/train';

await train({
  ...JSON.parse(process.argv[2]),
  onEvent: (event) => {
    if (event.type === 'note') process.stdout.write('begun\n');
    if (event.type === 'progress') process.stdout.write(`step ${event.step}\n`);
  },
});
