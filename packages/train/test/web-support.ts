/** Images for the browser's trainer, and what its tests compare. */
import { createTrainer, type Losses, type TrainerOptions } from '@cyclegan/train/web';
import { toBase64 } from '../../../test/browser/bytes.ts';

/** RGBA: a picture of a domain's own colours with edges, gradients and grain, another for each image; equal each time. */
export function picture(domain: 'a' | 'b', index: number, width: number, height: number): ImageData {
  const image = new ImageData(width, height);
  const [red, green, blue] = domain === 'a' ? [150, 110, 40] : [40, 90, 160];
  let grain = 7 + index + (domain === 'a' ? 100 : 0);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      grain = (Math.imul(grain, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      const noise = ((grain >> 16) % 61) - 30;
      const edge = (Math.floor(x / (5 + index)) + Math.floor(y / 7)) % 2 === 0 ? 0 : 60;
      image.data.set(
        [red + edge + noise, green + (90 * x) / width + noise, blue + (60 * y) / height - noise, 255],
        at,
      );
    }
  }
  return image;
}

export function pictureSets(count: number, width: number, height: number) {
  const set = (domain: 'a' | 'b') =>
    Array.from({ length: count }, (_, i) => picture(domain, i, width, height));
  return { a: set('a'), b: set('b') };
}

/** As `commands.trainInNode` takes them. */
export function rawImages(images: readonly ImageData[]) {
  return images.map(({ width, height, data }) => ({ width, height, rgba: toBase64(data) }));
}

/** Trains to the end. */
export async function lossesInPage(options: TrainerOptions): Promise<Losses[]> {
  const trainer = await createTrainer(options);
  const losses: Losses[] = [];
  await trainer.train({ onProgress: (progress) => losses.push(progress.losses) });
  trainer.dispose();
  return losses;
}

/** The largest difference of any loss of any step; NaN where either is NaN. */
export function furthest(found: readonly Losses[], expected: readonly Losses[]): number {
  const off = found.flatMap((losses, step) =>
    Object.entries(losses).map(([name, value]) =>
      Math.abs(value - (expected[step]?.[name as keyof Losses] ?? Number.NaN)),
    ),
  );
  return Math.max(0, ...off);
}
