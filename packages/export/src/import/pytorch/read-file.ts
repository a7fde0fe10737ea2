/** A file of torch.save, whichever container it is: opened, lent and closed. */
import type { Contents } from './contents.js';
import { damaged, refused } from './errors.js';
import { type OpenFile, withFile } from './file-bytes.js';
import { readLegacy } from './legacy.js';
import { readZip } from './zip.js';

/**
 * Reads what was saved, without its numbers, and lends it to `use`, which may read those.
 * @throws CycleganError `bundle` for a file that is missing, damaged or no PyTorch file, and what `use` throws
 */
export function withContents<T>(path: string, use: (contents: Contents) => Promise<T>): Promise<T> {
  return withFile(path, async (file) => use(await readContents(file)));
}

async function readContents(file: OpenFile): Promise<Contents> {
  const head = Buffer.alloc(Math.min(file.size, 512));
  await file.read(head, 0);
  if (head.toString('latin1', 0, 4) === 'PK\x03\x04') return readZip(file);
  if (head[0] === 0x80) return readLegacy(file);
  if (head.toString('latin1', 257, 262) === 'ustar') {
    throw refused(
      file.path,
      'a file of PyTorch 0.1.9 or later',
      'a tar archive, as earlier ones wrote',
      'Load it with a PyTorch of up to 1.x and save it anew.',
    );
  }
  throw damaged(file.path, 'a zip file or a pickle of torch.save', 'neither');
}
