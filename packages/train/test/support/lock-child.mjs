// Takes the lock of the run folder that is its argument, says so, and waits to be ended.
import { lockRun } from '@cyclegan/train';

lockRun(process.argv[2]).then(
  () => {
    process.stdout.write('locked\n');
    process.stdin.resume();
  },
  () => process.stdout.write('refused\n'),
);
