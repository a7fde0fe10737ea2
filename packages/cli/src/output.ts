/**
 * Where words go: results to stdout, everything else to stderr, and with `--json` one object as the last line of
 * stdout. Knows no commands.
 */
import { createProgress, type Progress } from './progress.js';

export interface Output {
  /** Facts on the way, and warnings: a line each on stderr, above the bar where one moves. */
  note(text: string): void;
  warn(text: string): void;
  /** The one bar (or its plain lines); a second call ends the first one. */
  progress(label: string): Promise<Progress>;
  /**
   * What the command was for. Once a command.
   * @param text for people; left out with `--json`
   * @param data for programs; plain JSON
   */
  result(text: string, data: Readonly<Record<string, unknown>>): void;
  /** A failure: a sentence on stderr, the stack behind it with `--debug`, and with `--json` an object with `error`. */
  fail(error: unknown, code: string, sentence?: string): void;
  /** Ends a bar that still moves. */
  close(): void;
}

export function createOutput(options: { json: boolean; debug: boolean }): Output {
  let current: Progress | undefined;
  const close = () => {
    current?.end();
    current = undefined;
  };
  const line = (text: string) => (current ? current.line(text) : void process.stderr.write(`${text}\n`));
  const json = (data: object) => process.stdout.write(`${JSON.stringify(data)}\n`);
  return {
    note: line,
    warn: (text) => line(`warning: ${text}`),
    async progress(label) {
      close();
      current = await createProgress(process.stderr, label);
      return current;
    },
    result(text, data) {
      close();
      if (options.json) json(data);
      else process.stdout.write(`${text}\n`);
    },
    fail(error, code, sentence) {
      close();
      const message = sentence ?? (error instanceof Error ? error.message : String(error));
      process.stderr.write(`${message}\n`);
      if (options.debug && error instanceof Error) process.stderr.write(`${stackOf(error)}\n`);
      if (options.json) json({ error: { code, message } });
    },
    close,
  };
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}

/** A path as a shell takes it, for commands that are shown. */
export function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : JSON.stringify(path);
}
