/** Persistent ids: how a pickle of PyTorch's names a storage, which lies outside of it. */
import { storageTypes } from './element-types.js';
import { damaged, refused } from './errors.js';
import { Global, type PickleValue, Storage } from './values.js';

/** PyTorch's are numbers. */
const MAX_KEY = 64;

/**
 * Makes storages of the ids of one file: `('storage', class, key, device, elements)`, and in legacy files what the
 * storage is a view of, if anything.
 * @returns the storages so far by key, and what to give the pickle reader
 */
export function storagesOf(where: string): {
  storages: ReadonlyMap<string, Storage>;
  persistent: (id: PickleValue) => Storage;
} {
  const storages = new Map<string, Storage>();
  return {
    storages,
    persistent(id) {
      const storage = storageOf(id, where);
      const known = storages.get(storage.key);
      if (known && known.bytes !== storage.bytes) {
        throw damaged(
          where,
          `storage ${storage.key} of one size`,
          `${known.bytes} and ${storage.bytes} bytes`,
        );
      }
      storages.set(storage.key, storage);
      return storage;
    },
  };
}

function storageOf(id: PickleValue, where: string): Storage {
  const [kind, type, key, , length, view = null] = Array.isArray(id) ? id : [];
  const element = type instanceof Global ? storageTypes.get(type.name) : undefined;
  if (kind !== 'storage' || !element || typeof key !== 'string' || key.length > MAX_KEY) {
    throw damaged(where, 'the id of a storage', 'something else');
  }
  if (typeof length !== 'number' || !Number.isSafeInteger(length * element.bytes) || length < 0) {
    throw damaged(where, `a size of storage ${key}`, 'none');
  }
  if (view !== null) {
    throw refused(
      where,
      'storages of their own',
      'one that is a view of another, as PyTorch wrote before 0.4',
      'Load it with such a PyTorch and save it anew.',
    );
  }
  return new Storage(key, element, length);
}
