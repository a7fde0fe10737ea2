/**
 * Progress on stderr: one bar that moves on a terminal; elsewhere a plain line now and then, for log files. Knows no
 * commands.
 */
import type { SingleBar } from 'cli-progress';

export interface Progress {
  /** @param detail what stands behind the numbers: losses, a file's name */
  update(done: number, total: number, detail?: string): void;
  /** Prints a line of its own without tearing the bar. */
  line(text: string): void;
  /** Leaves the last state standing. Idempotent. */
  end(): void;
}

/** Between two plain lines, in milliseconds: what takes long is told of less often, so that its log stays readable. */
const lineInterval = (running: number) => Math.min(Math.max(5000, running / 20), 60_000);

/** @param label what is being done, in a word or two */
export async function createProgress(stream: NodeJS.WriteStream, label: string): Promise<Progress> {
  return stream.isTTY ? createBar(stream, label) : createLines(stream, label);
}

async function createBar(stream: NodeJS.WriteStream, label: string): Promise<Progress> {
  const { default: progress } = await import('cli-progress');
  // The kind for several bars is the one that can print lines above them.
  const bars = new progress.MultiBar({
    stream,
    format: `${label} {bar} {value}/{total} {detail}`,
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    // Ctrl-C is handled elsewhere.
    gracefulExit: false,
    hideCursor: null,
    forceRedraw: true,
    fps: 10,
  });
  let bar: SingleBar | undefined;
  let ended = false;
  return {
    update(done, total, detail = '') {
      if (ended) return;
      bar ??= bars.create(total, done, { detail });
      bar.setTotal(total);
      bar.update(done, { detail });
    },
    line: (text) => void (bar ? bars.log(`${text}\n`) : stream.write(`${text}\n`)),
    end() {
      ended = true;
      if (!bar) return;
      // Prints the lines that still wait for the next redraw.
      bars.update();
      bars.stop();
      bar = undefined;
    },
  };
}

function createLines(stream: NodeJS.WriteStream, label: string): Progress {
  const started = performance.now();
  let printed = Number.NEGATIVE_INFINITY;
  let waiting: string | undefined;
  const print = (text: string) => {
    stream.write(`${text}\n`);
    printed = performance.now();
    waiting = undefined;
  };
  return {
    update(done, total, detail = '') {
      waiting = `${label} ${done}/${total} ${detail}`.trimEnd();
      const now = performance.now();
      if (now - printed >= lineInterval(now - started)) print(waiting);
    },
    line: (text) => void stream.write(`${text}\n`),
    end() {
      if (waiting !== undefined) print(waiting);
    },
  };
}

/** Seconds as a person says them: `9s`, `4m 10s`, `1h 02m`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (hours > 0) return `${hours}h ${String(minutes).padStart(2, '0')}m`;
  return minutes > 0 ? `${minutes}m ${String(rest).padStart(2, '0')}s` : `${rest}s`;
}
