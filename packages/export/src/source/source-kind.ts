/**
 * What kind of model a path leads to, by what is in it and only then by its name. Reads heads of files, no weights.
 */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';

/** A source that can be read. */
export interface FoundSource {
  readonly kind: 'checkpoint' | 'pytorch' | 'tfjs' | 'onnx';
  /** What its importer takes: of a folder the model.json or the newest generator in it, else the path as it was given. */
  readonly path: string;
}

const HEAD_BYTES = 16;

const extensions: ReadonlyMap<string, FoundSource['kind']> = new Map([
  ['.safetensors', 'checkpoint'],
  ['.pth', 'pytorch'],
  ['.pt', 'pytorch'],
  ['.pkl', 'pytorch'],
  ['.ckpt', 'pytorch'],
  ['.json', 'tfjs'],
  ['.onnx', 'onnx'],
]);

/**
 * Looks at a file or folder.
 * @throws CycleganError `input` for nothing there, and for what is none of these kinds, in one sentence that names them
 */
export async function findSource(path: string): Promise<FoundSource> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return folderKind(path);
  if (!found?.isFile()) throw notReadable(path, found ? 'neither a file nor a folder' : 'nothing there');
  const head = await readHead(path);
  const kind = headKind(head) ?? extensions.get(extname(path).toLowerCase());
  if (kind !== undefined) return { kind, path };
  throw notReadable(path, foreignKind(head) ?? `a file of another kind (${extname(path) || 'no extension'})`);
}

async function folderKind(path: string): Promise<FoundSource> {
  const names = new Set(await readdir(path));
  if (names.has('weights.safetensors') || names.has('checkpoints')) return { kind: 'checkpoint', path };
  if (names.has('model.json')) return { kind: 'tfjs', path: join(path, 'model.json') };
  const networks = Array.from(names).filter((name) => /_net_G(_[AB])?\.pth$/.test(name));
  const newest = ['latest_net_G_A.pth', 'latest_net_G.pth', 'latest_net_G_B.pth'].find((name) =>
    names.has(name),
  );
  const network =
    newest ?? networks.sort((one, other) => Number.parseInt(other, 10) - Number.parseInt(one, 10))[0];
  if (network !== undefined) return { kind: 'pytorch', path: join(path, network) };
  const bundle = names.has('manifest.json') && Array.from(names).some((name) => name.endsWith('.onnx'));
  if (bundle) throw notReadable(path, 'a bundle, whose .onnx files are to be given one by one');
  if (names.has('saved_model.pb')) throw notReadable(path, 'a TensorFlow SavedModel');
  throw notReadable(path, names.size === 0 ? 'an empty folder' : 'a folder without a model in it');
}

async function readHead(path: string): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    throw notReadable(path, `"${cause instanceof Error ? cause.message : cause}"`, cause);
  } finally {
    await file?.close();
  }
}

/** Only what cannot be taken for another kind. */
function headKind(head: Uint8Array): FoundSource['kind'] | undefined {
  const text = Buffer.from(head).toString('latin1');
  const [first = 0, second = 0, third = 0] = head;
  // A zip archive, or the first pickle of PyTorch before 1.6.
  if (text.startsWith('PK\x03\x04') || (first === 0x80 && second >= 1 && second <= 5)) return 'pytorch';
  // A safetensors header is JSON behind its length as 64 bits; `latest` and `best` in a run hold a step.
  if (text[8] === '{' && head.subarray(4, 8).every((byte) => byte === 0)) return 'checkpoint';
  if (/^\d+\s*$/.test(text) && text.length < HEAD_BYTES) return 'checkpoint';
  if (/^\s*\{/.test(text)) return 'tfjs';
  // ModelProto: ir_version as a varint, and behind it another of its fields.
  if (first === 0x08 && second > 0 && second < 0x80 && modelFields.has(third)) return 'onnx';
  return undefined;
}

/** Tags of ModelProto's fields: producer, domain, versions, documentation, graph, opsets. */
const modelFields = new Set([0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42]);

/** Kinds that people may well have, and that other tools turn into one of those that are read. */
function foreignKind(head: Uint8Array): string | undefined {
  const text = Buffer.from(head).toString('latin1');
  if (text.length === 0) return 'an empty file';
  if (text.startsWith('\x89HDF')) return 'a Keras HDF5 file';
  if (text.slice(4, 8) === 'TFL3') return 'a TensorFlow Lite file';
  return undefined;
}

function notReadable(path: string, got: string, cause?: unknown): CycleganError {
  return new CycleganError(
    'input',
    `[export] ${basename(path) || path}: expected a run folder, a checkpoint, a weights.safetensors, a PyTorch .pth, a TensorFlow.js model.json or an .onnx, got ${got} at ${path}. Choose one of those.`,
    { cause },
  );
}
