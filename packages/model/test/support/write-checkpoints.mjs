// A training process reduced to its writing: checkpoints without end, the number of the write in every value, until
// it is killed. Prints that number once its checkpoint is complete. Arguments: run folder, first number.
import { writeCheckpoint } from '@cyclegan/model';

const [run, first] = process.argv.slice(2);
const tensors = (value) =>
  new Map(
    Array.from({ length: 8 }, (_, index) => [
      `G_A.model.${index}.weight`,
      { shape: [4096], data: new Float32Array(4096).fill(value) },
    ]),
  );

for (let count = Number(first); ; count += 1) {
  await writeCheckpoint({
    run,
    // Every step twice: the second time it takes the place of the first.
    step: Math.floor(count / 2),
    weights: tensors(count),
    optimizer: tensors(count),
    state: count,
    metadata: {},
    keep: 2,
  });
  process.stdout.write(`${count}\n`);
}
