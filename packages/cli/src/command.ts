/**
 * What a command is: its words for the help, its options, and a handler that loads the package which does the work.
 * Command modules import no package at their top, so that `--help` is quick.
 */
import type { ArgumentsCamelCase, Argv, InferredOptionTypes, Options, PositionalOptions } from 'yargs';
import type { Output } from './output.js';
import { wrongValue } from './usage.js';

/** What a handler gets beside its arguments. */
export interface Context {
  readonly output: Output;
  /** Fires on the first Ctrl-C; the package ends what it is at and saves it. */
  readonly signal: AbortSignal;
}

type Positionals = Readonly<Record<string, PositionalOptions>>;
type OptionTable = Readonly<Record<string, Options>>;

export interface CommandSpec<P extends Positionals, O extends OptionTable> {
  /** As yargs writes it: `translate <bundle> <input..>`. */
  readonly command: string;
  /** One line for the list of commands. */
  readonly describe: string;
  /** A few sentences for the command's own help. */
  readonly about: string;
  readonly positionals: P;
  readonly options: O;
  /** Command line behind the program's name, and what it does. */
  readonly examples: readonly (readonly [string, string])[];
  /** @returns the exit code */
  handler(args: ArgumentsCamelCase<InferredOptionTypes<P & O>>, context: Context): Promise<number>;
}

export interface Command {
  readonly name: string;
  /** The command with its positional arguments, as in the help. */
  readonly usage: string;
  readonly optionNames: readonly string[];
  /** Adds the command to the parser; `run` gives its handler the context and takes the exit code. */
  register(yargs: Argv, run: (work: (context: Context) => Promise<number>) => Promise<void>): Argv;
}

export function defineCommand<const P extends Positionals, const O extends OptionTable>(
  spec: CommandSpec<P, O>,
): Command {
  const { command, describe, about, positionals, options, examples, handler } = spec;
  const strict = Object.entries(options).map(([name, option]): [string, Options] => [
    name,
    {
      // `--out` with nothing behind it is a slip, not an empty path.
      requiresArg: option.type !== 'boolean',
      ...option,
      // Of an option that is given twice the last counts, as in most programs; positionals keep all.
      coerce: (given: unknown) => {
        const value = Array.isArray(given) ? given.at(-1) : given;
        if (value === '') throw wrongValue(name, 'something');
        return option.coerce ? option.coerce(value) : value;
      },
    },
  ]);
  const build = (yargs: Argv) => {
    for (const [name, positional] of Object.entries(positionals)) yargs.positional(name, positional);
    for (const [line, what] of examples) yargs.example(`$0 ${line}`, what);
    return yargs.usage(`$0 ${command}\n\n${about}`).options(Object.fromEntries(strict)) as Argv<
      InferredOptionTypes<P & O>
    >;
  };
  return {
    name: command.split(' ')[0] ?? command,
    usage: command,
    optionNames: Object.keys(options),
    register: (yargs, run) =>
      yargs.command(command, describe, build, (args) => run((context) => handler(withDashes(args), context))),
  };
}

/** A lone `-`, which yargs would drop among positionals that may repeat: no word of a command line holds a NUL. */
const DASH = '\0-';

/** The command line as the parser gets it. */
export function protectDashes(argv: readonly string[]): string[] {
  return argv.map((word) => (word === '-' ? DASH : word));
}

function withDashes<Args extends object>(args: Args): Args {
  const plain = (value: unknown) => (value === DASH ? '-' : value);
  const entries = Object.entries(args).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.map(plain) : plain(value),
  ]);
  return Object.assign(args, Object.fromEntries(entries));
}
