/**
 * Trust, before a bundle is used: the model file is the one that the manifest names, and a new session answers the
 * manifest's patch as the checkpoint did. Some providers give wrong results without an error; this finds them.
 */
import { CycleganError } from './errors.js';
import type { ModelEntry } from './manifest.js';
import type { Planes } from './pixels.js';
import { runPadded } from './run-padded.js';
import type { RunPlanes } from './translate-pixels.js';

/**
 * Compares a model file with its manifest entry.
 * @param found its size in bytes and, once that fits, its SHA-256 as 64 lower-case hex digits
 * @param where the file's path or URL, for the message
 * @throws CycleganError `bundle`
 */
export function checkModelFile(
  model: Pick<ModelEntry, 'bytes' | 'sha256'>,
  found: { bytes: number; sha256?: string },
  where: string,
): void {
  if (found.bytes !== model.bytes) {
    throw damaged(where, `${model.bytes} bytes`, `${found.bytes}`);
  }
  if (found.sha256 !== undefined && found.sha256 !== model.sha256) {
    throw damaged(where, `SHA-256 ${model.sha256}`, found.sha256);
  }
}

function damaged(where: string, expected: string, got: string): CycleganError {
  return new CycleganError(
    'bundle',
    `[bundle] ${where}: expected ${expected}, got ${got}. Copy or export the bundle again.`,
  );
}

/**
 * Runs the entry's patch, padded where the model takes only larger images, and compares.
 * @returns the largest absolute difference, on [-1, 1]
 * @throws CycleganError `device` when the answer is off by more than the tolerance or holds NaN; `bundle` when the
 * manifest's patch is not of the size that it says
 */
export async function runSelfCheck(model: ModelEntry, run: RunPlanes): Promise<number> {
  const { width, height, tolerance } = model.selfCheck;
  const input = patch(model, 'input');
  const expected = patch(model, 'output');
  const planes = { width, height, channels: model.input.channels, data: input };
  const { data } = await runPadded(planes, model, run);
  if (data.length !== expected.length) {
    throw failed(`${expected.length} values`, `${data.length}`);
  }
  let worst = 0;
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs((data[i] ?? Number.NaN) - value);
    // Written so that NaN fails too.
    if (!(difference <= worst)) worst = difference;
    if (Number.isNaN(worst)) break;
  }
  if (!(worst <= tolerance)) {
    throw failed(
      `the known patch within ${tolerance}`,
      Number.isNaN(worst) ? 'NaN' : `off by ${worst.toPrecision(3)}`,
    );
  }
  return worst;
}

function failed(expected: string, got: string): CycleganError {
  return new CycleganError(
    'device',
    `[self-check] output: expected ${expected}, got ${got}. Choose another device or precision.`,
  );
}

/** Base64 of little-endian float32, which is also the byte order of every platform that runs JavaScript today. */
function patch(model: ModelEntry, which: 'input' | 'output'): Float32Array {
  const { width, height } = model.selfCheck;
  const bytes = Uint8Array.from(atob(model.selfCheck[which]), (character) => character.charCodeAt(0));
  const expected = model[which].channels * width * height * Float32Array.BYTES_PER_ELEMENT;
  if (bytes.length !== expected) {
    throw new CycleganError(
      'bundle',
      `[bundle] self-check ${which} of ${model.file}: expected ${expected} bytes for ${model[which].channels}x${height}x${width}, got ${bytes.length}. Export the bundle again.`,
    );
  }
  return new Float32Array(bytes.buffer);
}

/** A patch as planes: what a self-check writes into the manifest, and the inverse of its decoding. */
export function encodePatch(planes: Pick<Planes, 'data'>): string {
  const bytes = new Uint8Array(planes.data.buffer, planes.data.byteOffset, planes.data.byteLength);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}
