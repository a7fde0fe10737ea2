/**
 * Wrong command lines in one sentence: what was expected, what came, and where to read on. Turns yargs' own messages
 * into the house form; knows the commands' names and options, and nothing else of them.
 */
import { closest, distance } from 'fastest-levenshtein';
import type { Command } from './command.js';

/** A wrong command line, in yargs' words or {@link wrongValue}'s; {@link explainUsage} makes the sentence of it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Thrown from `coerce`, for a value that the option cannot mean. yargs keeps the message and nothing else. */
export function wrongValue(option: string, expected: string): Error {
  return new UsageError(`expected --${option} to be ${expected}`);
}

/** Options of every command. */
export const commonOptions = ['json', 'debug', 'help', 'version'];

/**
 * The sentence for a wrong command line.
 * @param argv the command line behind the program's name
 */
export function explainUsage(
  error: UsageError,
  argv: readonly string[],
  commands: readonly Command[],
): string {
  const command = commands.find(({ name }) => name === argv.find((word) => !word.startsWith('-')));
  const said = command ? `${command.name}: ${explain(error, argv, command)}` : explainCommand(argv, commands);
  return `[cyclegan] ${said} See cyclegan ${command ? `${command.name} ` : ''}--help.`;
}

function explainCommand(argv: readonly string[], commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const given = argv.find((word) => !word.startsWith('-'));
  const got = given ?? argv.find((word) => !commonOptions.includes(optionName(word)));
  const hint = given === undefined ? '' : didYouMean(given, names, '');
  return `expected a command (${names.join(', ')}), got ${got ?? 'none'}.${hint}`;
}

function explain(error: UsageError, argv: readonly string[], command: Command): string {
  const [, option] = /^expected --(\S+) to be/.exec(error.message) ?? [];
  if (option !== undefined) return `${error.message}, got ${valueGiven(option, argv)}.`;
  for (const [pattern, sentence] of rewordings) {
    const match = pattern.exec(error.message);
    if (match) return sentence(match[1] ?? '', match[2] ?? '', match[3] ?? '');
  }
  const [, unknown] = /^Unknown arguments?: (.*)$/.exec(error.message) ?? [];
  if (unknown !== undefined) return explainUnknown(unknown.split(', '), argv, command);
  const [, got] = /^Not enough non-option arguments: got (\d+)/.exec(error.message) ?? [];
  if (got !== undefined) return `expected ${command.usage}, got ${got} of these arguments.`;
  return `${error.message.replaceAll(/\s+/g, ' ').replace(/\.$/, '')}.`;
}

const rewordings: readonly [RegExp, (...parts: [string, string, string]) => string][] = [
  [
    /^Missing required arguments?: (.*)$/,
    (names) => `expected ${names.replaceAll(/(^|, )/g, '$1--')}, got a command line without.`,
  ],
  [
    /Argument: (.*), Given: (.*), Choices: (.*)/,
    (name, given, choices) => `expected --${name} to be one of ${choices}, got ${given}.`,
  ],
  [/^Not enough arguments following: (.*)$/, (name) => `expected a value behind --${name}, got none.`],
  [
    /^Arguments (.*) and (.*) are mutually exclusive$/,
    (one, other) => `expected --${one} or --${other}, got both.`,
  ],
];

function explainUnknown(unknown: readonly string[], argv: readonly string[], command: Command): string {
  // An option is named twice by yargs, as it was given and in camel case; a word too many is named bare.
  const name = unknown.find((each) => argv.some((word) => word.startsWith('-') && optionName(word) === each));
  if (name === undefined) return `expected ${command.usage}, got also ${unknown[0]}.`;
  const hint = didYouMean(name, [...command.optionNames, ...commonOptions], '--');
  return `expected an option that it has, got ${name.length > 1 ? '--' : '-'}${name}.${hint}`;
}

/** `--size=3` → `size`. */
function optionName(word: string): string {
  return word.replace(/^--?/, '').replace(/=.*$/s, '');
}

/** yargs takes `--loadSize` for `--load-size`. */
function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** What was given for an option, as it was typed. */
function valueGiven(option: string, argv: readonly string[]): string {
  const at = argv.findLastIndex((word) => word.startsWith('-') && kebab(optionName(word)) === option);
  const word = argv[at] ?? '';
  return JSON.stringify(word.includes('=') ? word.slice(word.indexOf('=') + 1) : (argv[at + 1] ?? ''));
}

function didYouMean(given: string, names: readonly string[], prefix: string): string {
  const near = closest(given, names);
  return distance(given, near) <= Math.max(2, given.length / 3) ? ` Did you mean ${prefix}${near}?` : '';
}
