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

export interface PythonResult {
  /** 0 when the script succeeded; -1 when it could not be started. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a script of this folder, or one by absolute path, to its end.
 * @param args its arguments, passed as they are
 */
export function python(script: string, args: readonly string[] = []): Promise<PythonResult> {
  return run([fileURLToPath(new URL(script, import.meta.url)), ...args]);
}

/** Whether the interpreter can import a module. */
export async function pythonHas(module: string): Promise<boolean> {
  return (await run(['-c', `import ${module}`])).status === 0;
}

/** What to tell whoever reads the test output when an oracle is skipped. */
export function skipMessage(what: string, module: string): string {
  return `SKIPPED ${what}: ${interpreter} has no ${module}. Install it there, or set PYTHON to an interpreter that has it.`;
}

function run(args: readonly string[]): Promise<PythonResult> {
  // No __pycache__ beside the scripts.
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
  return new Promise((resolve) => {
    execFile(interpreter, args, { env, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ status, stdout, stderr });
    });
  });
}
