/**
 * Before the browser tests: bundles from today's exporter, where the dev server finds them. One is plain, and
 * beside it a file of it for one size; the other is as different as can be: a U-Net with batch norm, from grey to
 * colour and back. Two more hold other precisions. Not kept in git.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toFixedSize } from '@cyclegan/export';
import { readOnnx, writeOnnx } from '@cyclegan/graph';
import { makeBundle, makePrecisionBundles } from '../support/make-bundle.ts';

const dir = fileURLToPath(new URL('../fixtures/exported', import.meta.url));

export async function setup(): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  const { bundle } = await makeBundle({ dir, ngf: 8, blocks: 2, seed: 5 });
  const { graph } = readOnnx(await readFile(join(bundle, 'AtoB.fp32.onnx')));
  const fixed = writeOnnx(toFixedSize(graph, { width: 32, height: 24 }));
  await writeFile(join(dir, 'AtoB.fp32.32x24.onnx'), fixed);
  await makeBundle({
    dir: join(dir, 'unet'),
    ngf: 4,
    seed: 5,
    generator: { kind: 'unet', downs: 5, norm: 'batch', inputChannels: 1 },
  });
  await makePrecisionBundles(join(dir, 'precisions'));
}
