/**
 * The container that PyTorch wrote from 0.1.9 to 1.5, and still writes on request: five pickles (magic number, protocol,
 * the machine, the object, the storages' keys), then each storage as a count of its elements and the elements.
 */
import { type Contents, MAX_PICKLE_BYTES } from './contents.js';
import { damaged, refused } from './errors.js';
import { type OpenFile, rangeOf } from './file-bytes.js';
import { PickleReader } from './pickle.js';
import { storagesOf } from './storage-id.js';
import type { PickleValue, Storage } from './values.js';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/** @throws CycleganError `bundle` for a file that torch.save did not write whole */
export async function readLegacy(file: OpenFile): Promise<Contents> {
  const head = new Uint8Array(Math.min(file.size, MAX_PICKLE_BYTES));
  await file.read(head, 0);
  const pickle = new PickleReader(head, file.path);
  if (pickle.read() !== MAGIC) throw damaged(file.path, 'the magic number of PyTorch', 'another pickle');
  if (pickle.read() !== PROTOCOL) throw damaged(file.path, `protocol ${PROTOCOL}`, 'another');
  checkMachine(pickle.read(), file);
  const { storages, persistent } = storagesOf(file.path);
  pickle.persistent = persistent;
  const root = pickle.read();
  const keys = pickle.read();
  const places = await findStorages(file, keys, storages, pickle.position);
  return {
    file,
    root,
    find: async (storage) => {
      const begin = places.get(storage.key);
      if (begin === undefined) throw damaged(file.path, `storage ${storage.key}`, 'none');
      return rangeOf(file, begin, storage.bytes);
    },
  };
}

function checkMachine(machine: PickleValue, file: OpenFile): void {
  if (machine instanceof Map && machine.get('little_endian') !== false) return;
  throw refused(
    file.path,
    'little-endian numbers',
    machine instanceof Map ? 'big-endian ones' : 'a note on something else',
    'Save it on a machine of the usual byte order.',
  );
}

/** Where each storage's elements begin. */
async function findStorages(
  file: OpenFile,
  keys: PickleValue,
  storages: ReadonlyMap<string, Storage>,
  begin: number,
): Promise<ReadonlyMap<string, number>> {
  const places = new Map<string, number>();
  let at = begin;
  for (const key of Array.isArray(keys) ? keys : [keys]) {
    const storage = typeof key === 'string' && !places.has(key) ? storages.get(key) : undefined;
    if (!storage) throw damaged(file.path, 'the key of each storage once', 'another list');
    const count = new Uint8Array(8);
    await file.read(count, at);
    const length = new DataView(count.buffer).getBigUint64(0, true);
    if (length !== BigInt(storage.length)) {
      throw damaged(file.path, `${storage.length} elements of storage ${storage.key}`, `${length}`);
    }
    places.set(storage.key, at + 8);
    at += 8 + storage.bytes;
    if (at > file.size) throw damaged(file.path, `${at} bytes for its storages`, `${file.size}`);
  }
  return places;
}
