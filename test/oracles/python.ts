/**
 * The Python that the oracles need, run from tests: which interpreter, what it can import, and its scripts. Anything
 * missing is the caller's to skip, aloud.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** PYTHON if set, else the system's own (which is the one with Debian's packages), else the first in the path. */
export const interpreter =
  process.env['PYTHON'] ?? (existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3');

/** The environment with the packages that Debian does not have, where scripts/test-tools.mjs could make it. */
const environment = fileURLToPath(new URL('../../node_modules/.cache/oracles/bin/python3', import.meta.url));

export interface PythonResult {
  /** 0 when the script succeeded; -1 when it could not be started. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a script of this folder, or one by absolute path, to its end.
 * @param args its arguments, passed as they are
 * @param by another interpreter, from {@link pythonWith}
 */
export function python(
  script: string,
  args: readonly string[] = [],
  by: string = interpreter,
): Promise<PythonResult> {
  return run(by, [fileURLToPath(new URL(script, import.meta.url)), ...args]);
}

/** Whether the interpreter can import a module. */
export async function pythonHas(module: string): Promise<boolean> {
  return (await run(interpreter, ['-c', `import ${module}`])).status === 0;
}

/** The interpreter that can import a module: the usual one, or that of the environment made for the tests. */
export async function pythonWith(module: string): Promise<string | undefined> {
  if (await pythonHas(module)) return interpreter;
  return (await run(environment, ['-c', `import ${module}`])).status === 0 ? environment : undefined;
}

/** What to tell whoever reads the test output when an oracle is skipped. */
export function skipMessage(what: string, module: string): string {
  return `SKIPPED ${what}: ${interpreter} has no ${module}. Install it there, or set PYTHON to an interpreter that has it.`;
}

function run(by: string, args: readonly string[]): Promise<PythonResult> {
  // No __pycache__ beside the scripts.
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
  return new Promise((resolve) => {
    execFile(by, args, { env, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ status, stdout, stderr });
    });
  });
}
