/**
 * The ffmpeg and ffprobe that are installed, run as processes without a shell: where they are, what version, what they
 * said when they failed. Knows no video.
 */
import { type ChildProcess, execFile, type StdioOptions, spawn } from 'node:child_process';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { CycleganError } from '@cyclegan/runtime-core';

export type Program = 'ffmpeg' | 'ffprobe';

/**
 * Where a program is: `FFMPEG_PATH` and `FFPROBE_PATH` name them, ffprobe is looked for beside an ffmpeg that is named;
 * else they are found on the PATH.
 */
export function programPath(program: Program): string {
  const { FFMPEG_PATH, FFPROBE_PATH } = process.env;
  const named = program === 'ffmpeg' ? FFMPEG_PATH : FFPROBE_PATH;
  if (named) return named;
  if (program === 'ffprobe' && FFMPEG_PATH && basename(FFMPEG_PATH) !== FFMPEG_PATH) {
    return join(dirname(FFMPEG_PATH), basename(FFMPEG_PATH).replace('ffmpeg', 'ffprobe'));
  }
  return program;
}

/** What adds ffmpeg to this machine. */
export function ffmpegInstallCommand(): string {
  const commands: Partial<Record<NodeJS.Platform, string>> = {
    darwin: 'brew install ffmpeg',
    win32: 'winget install ffmpeg',
  };
  return commands[process.platform] ?? 'apt-get install ffmpeg';
}

/**
 * The version as the program says it, such as `5.1.6-0+deb12u1`.
 * @throws CycleganError `input` where there is none
 */
export async function programVersion(program: Program): Promise<string> {
  const path = programPath(program);
  try {
    const { stdout } = await promisify(execFile)(path, ['-version'], { timeout: 20_000 });
    return /^\w+ version (\S+)/.exec(stdout)?.[1] ?? 'unknown';
  } catch (cause) {
    throw absent(program, cause);
  }
}

/** What of videos can be done here. */
export interface VideoTools {
  /** Versions. */
  ffmpeg: string;
  ffprobe: string;
  /** Encoders that translations are written with and this ffmpeg was built without. */
  missing: string[];
}

/**
 * For `cyclegan doctor`.
 * @throws CycleganError `input` where ffmpeg or ffprobe is not there
 */
export async function probeVideoTools(): Promise<VideoTools> {
  const [version, ffprobe] = [await programVersion('ffmpeg'), await programVersion('ffprobe')];
  const { stdout } = await promisify(execFile)(programPath('ffmpeg'), ['-v', 'error', '-encoders']);
  const missing = ENCODERS.filter((encoder) => !new RegExp(`\\s${encoder}\\s`).test(stdout));
  return { ffmpeg: version, ffprobe, missing };
}

/** Those of containers.ts that are no part of ffmpeg itself. */
const ENCODERS = ['libx264', 'libvpx-vp9'];

function absent(program: Program, cause: unknown): CycleganError {
  const path = programPath(program);
  return new CycleganError(
    'input',
    `[video] ${program}: expected the program for videos, got none that runs as ${path}. Install it with \`${ffmpegInstallCommand()}\`, or name it in FFMPEG_PATH.`,
    { cause },
  );
}

/**
 * A path as ffmpeg takes it literally: not as an option, a protocol, a pattern or a list.
 */
export function fileUrl(path: string): string {
  return `file:${resolve(path)}`;
}

/** A program under way. */
export interface Running {
  child: ChildProcess;
  /** Never rejects. */
  ended: Promise<Ending>;
}

export interface Ending {
  /** Null after exit code 0, else the first of what the program said, or how it ended. */
  failure: string | null;
  /** The first line of what it said, if anything. */
  said: string | null;
  /** Lines that it said. */
  complaints: number;
}

/** What is kept of a program's words. */
const MAX_WORDS = 4096;

/**
 * Starts a program; it is killed when `signal` fires.
 * @throws CycleganError `input` where there is none
 */
export async function start(options: {
  program: Program;
  args: readonly string[];
  stdio: StdioOptions;
  signal: AbortSignal;
}): Promise<Running> {
  const { program, args, stdio, signal } = options;
  const child = spawn(programPath(program), args, {
    stdio,
    signal,
    killSignal: 'SIGKILL',
    // Ctrl-C on a terminal goes to the program that started this one, which then ends it in order.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  let words = '';
  let complaints = 0;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints += text.split('\n').length - 1;
    words = (words + text).slice(0, MAX_WORDS);
  });
  const ended = new Promise<Ending>((resolve) => {
    child.once('close', (code, by) => {
      const said = firstLine(words);
      const failure = said ?? (by ? `it was ended by ${by}` : `it ended with ${code}`);
      resolve({ failure: code === 0 ? null : failure, said, complaints });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(absent(program, cause)));
  });
  child.on('error', () => undefined);
  // A program that has ended leaves its pipes broken; `ended` says why.
  child.stdin?.on('error', () => undefined);
  return { child, ended };
}

/** One of the pipes that a program was started with. */
export function readable(pipe: ChildProcess['stdio'][number]): Readable {
  if (pipe instanceof Readable) return pipe;
  throw new Error('internal: a program without the pipe that was asked for');
}

/** Without names and addresses of the program's parts, and without the file's path, which the caller's sentence has. */
function firstLine(words: string): string | null {
  const lines = words.split('\n').map((line) => line.replace(/^(\[[^\]]*\]\s*)+|^file:.*?: /, '').trim());
  return lines.find((line) => line !== '') ?? null;
}

/** Options of every run of ffmpeg itself. */
export const QUIET = ['-v', 'error', '-nostdin', '-hide_banner'];

/** As many frames as the file has, each at its own time: none is doubled or left out for an even rate. */
export async function keepEveryFrame(): Promise<string[]> {
  const [, major, minor] = /^n?(\d+)\.(\d+)/.exec(await programVersion('ffmpeg')) ?? [];
  const old = major !== undefined && (Number(major) < 5 || (major === '5' && minor === '0'));
  return [old ? '-vsync' : '-fps_mode', 'passthrough'];
}
