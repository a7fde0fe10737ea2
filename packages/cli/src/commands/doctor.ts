/** `cyclegan doctor`: what this machine has, what works on it, and the command that adds what is missing. */
import { defineCommand } from '../command.js';

export const doctor = defineCommand({
  command: 'doctor',
  describe: 'Say what this machine can do, what is missing, and how to add it',
  about:
    'Opens a small model on every device and compares its answer, so that "works" means that it does. Ends with 1 when not even the CPU works.',
  positionals: {},
  options: {},
  examples: [
    ['doctor', 'versions, devices, and what to install'],
    ['doctor --json', 'the same, for a bug report'],
  ],

  async handler(_args, { output }) {
    const { examineMachine, describeMachine } = await import('../machine.js');
    const machine = await examineMachine();
    output.result(describeMachine(machine), machine);
    return machine.ok ? 0 : 1;
  },
});
