/**
 * The `cyclegan` command: parses the command line, runs one command, and says how it ended. Loads no package that
 * does work; each command does that itself.
 */
import yargs from 'yargs';
import { type Context, protectDashes } from './command.js';
import { demo } from './commands/demo.js';
import { doctor } from './commands/doctor.js';
import { evalCommand } from './commands/eval.js';
import { exportCommand } from './commands/export.js';
import { fleet } from './commands/fleet.js';
import { serve } from './commands/serve.js';
import { submit } from './commands/submit.js';
import { train } from './commands/train.js';
import { translate } from './commands/translate.js';
import { verify } from './commands/verify.js';
import { worker } from './commands/worker.js';
import { createInterrupt, INTERRUPTED } from './interrupt.js';
import { createOutput, type Output } from './output.js';
import { explainUsage, UsageError } from './usage.js';
import { toolVersion } from './version.js';

const commands = [
  demo,
  train,
  exportCommand,
  verify,
  translate,
  serve,
  submit,
  worker,
  fleet,
  evalCommand,
  doctor,
];

/** Exit codes: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C. */
const DONE = 0;
const FAILED = 1;
const USAGE = 2;

/**
 * Runs one command line.
 * @param argv the words behind the program's name
 * @returns the exit code; everything has been printed
 */
export async function main(argv: readonly string[]): Promise<number> {
  // Asked before parsing, because a command line that cannot be parsed is reported too.
  const output = createOutput({ json: argv.includes('--json'), debug: argv.includes('--debug') });
  let exitCode = DONE;
  const run = async (work: (context: Context) => Promise<number>) => {
    const interrupt = createInterrupt(output.note, output.close);
    try {
      exitCode = await work({ output, signal: interrupt.signal });
    } finally {
      interrupt.dispose();
    }
  };
  try {
    await createParser(argv, run).parseAsync();
  } catch (error) {
    exitCode = await report(error, argv, output);
  } finally {
    output.close();
  }
  return exitCode;
}

function createParser(
  argv: readonly string[],
  run: (work: (context: Context) => Promise<number>) => Promise<void>,
) {
  const parser = yargs(protectDashes(argv))
    .scriptName('cyclegan')
    .locale('en')
    .usage(
      '$0 <command>\n\nUnpaired image-to-image translation: train a CycleGAN on two folders of images, ship it as ONNX, run it in Node and in the browser.',
    )
    .parserConfiguration({
      'boolean-negation': false,
      'dot-notation': false,
    })
    .option('json', { type: 'boolean', describe: 'Print one JSON object as the last line of stdout' })
    .option('debug', { type: 'boolean', describe: 'Print the stack of an error' })
    .version(toolVersion())
    .example('$0 demo', 'see all of it work on emoji, in minutes')
    .example('$0 train --a horses --b zebras --out runs/horse2zebra', 'train on two folders of images')
    .epilogue('Each command explains itself: cyclegan train --help')
    .demandCommand(1)
    .strict()
    .exitProcess(false)
    .fail((message, error) => {
      // What a handler threw comes here too, and is not about the command line.
      if (error && error.name !== 'YError') throw error;
      throw new UsageError(message ?? error.message);
    });
  for (const command of commands) command.register(parser, run);
  return parser.wrap(Math.min(110, parser.terminalWidth()));
}

async function report(error: unknown, argv: readonly string[], output: Output): Promise<number> {
  if (error instanceof UsageError) {
    output.fail(error, 'usage', explainUsage(error, argv, commands));
    return USAGE;
  }
  const { isCycleganError } = await import('@cyclegan/runtime-core');
  if (!isCycleganError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    output.fail(
      error,
      'internal',
      `[cyclegan] unexpected: ${message} (please report it, with the output of --debug)`,
    );
    return FAILED;
  }
  output.fail(error, error.code);
  if (error.code === 'aborted') return INTERRUPTED;
  return error.code === 'usage' ? USAGE : FAILED;
}
