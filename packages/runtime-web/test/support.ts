/** What the browser tests of this package share. */
import type { Manifest } from '@cyclegan/runtime-web';
import { picture, type Rgba } from '../../../test/contract/translator-contract.ts';

/** The manifest of the bundle that all runtimes are tested with. */
export const TINY = new URL('../../../test/fixtures/tiny-bundle/manifest.json', import.meta.url).href;

export function imageData(width: number, height: number): ImageData {
  return new ImageData(new Uint8ClampedArray(picture(width, height).data), width, height);
}

export function pixelsOf({ width, height, data }: ImageData): Rgba {
  return { width, height, data: Uint8ClampedArray.from(data) };
}

/** The bundle's files, to be handed in as they are or damaged first. */
export async function tinyFiles(): Promise<Record<string, Blob>> {
  const names = ['manifest.json', 'AtoB.fp32.onnx', 'BtoA.fp32.onnx'];
  const files = names.map(async (name) => [name, await (await fetch(new URL(name, TINY))).blob()] as const);
  return Object.fromEntries(await Promise.all(files));
}

/** The manifest after a change, as a file. */
export async function changedManifest(change: (manifest: Manifest) => void): Promise<Blob> {
  const manifest: Manifest = await (await fetch(TINY)).json();
  change(manifest);
  return new Blob([JSON.stringify(manifest)]);
}
