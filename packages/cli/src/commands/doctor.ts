/** `cyclegan doctor`: what this machine has, what works on it, and the command that mends what does not. */
import { defineCommand } from '../command.js';

export const doctor = defineCommand({
  command: 'doctor [bundle]',
  describe: 'Say what this machine can do, what is missing, and how to add it',
  about:
    'Opens a small model on every device and compares its answer, so that "works" means that it does; with a bundle, that bundle too. Below each problem stands one command that mends it. Ends with 1 when nothing can be translated here, or not with this bundle.',
  positionals: {
    bundle: { type: 'string', describe: 'Folder that cyclegan export wrote, to be checked on every device' },
  },
  options: {
    redis: {
      type: 'string',
      defaultDescription: 'CYCLEGAN_REDIS',
      describe: "The fleet's Redis, to be reached",
    },
  },
  examples: [
    ['doctor', 'versions, devices, limits, and what to install'],
    ['doctor bundles/monet', "that bundle's files, and what would run it"],
    ['doctor --json', 'the same, for a bug report'],
  ],

  async handler({ bundle, redis = process.env['CYCLEGAN_REDIS'] }, { output }) {
    const { examineMachine, describeMachine } = await import('../doctor/machine.js');
    const machine = await examineMachine({ bundle, redis });
    output.result(describeMachine(machine), machine);
    return machine.ok ? 0 : 1;
  },
});
