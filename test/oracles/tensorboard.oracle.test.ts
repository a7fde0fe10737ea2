/** TensorBoard's own reader finds in the event files what was logged, also after a resume and a torn file. */
import { createHash } from 'node:crypto';
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createEventWriter } from '@cyclegan/train';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { python, pythonWith, skipMessage } from './python.ts';

test('TensorBoard reads the event files', async (context) => {
  const interpreter = await pythonWith('tensorboard');
  if (interpreter === undefined) {
    const message = skipMessage("the event files by TensorBoard's reader", 'tensorboard');
    console.warn(message);
    context.skip(message);
  }
  const folder = join(temporaryFolder(), 'events');
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  const create = { width: 60, height: 40, channels: 3, background: 'white', noise } as const;
  const png = await sharp({ create }).png().toBuffer();
  const transparent = await sharp({ create: { width: 7, height: 9, channels: 4, background: 'red' } })
    .png()
    .toBuffer();

  const first = await createEventWriter({ folder });
  for (let step = 1; step <= 10; step++) {
    await first.scalars(step, 1_700_000_000 + step / 4, { 'loss/G_A': step / 8, lr: 2 ** -12 });
  }
  await first.image(5, 'samples', png);
  await first.image(10, 'samples', png);
  await first.close();
  // Killed while writing: half a header.
  const [file = ''] = readdirSync(folder);
  appendFileSync(join(folder, file), Buffer.from([9, 0, 0, 0, 0]));
  // Resumed from the checkpoint of step 6.
  const second = await createEventWriter({ folder, startStep: 6 });
  await second.scalars(7, 1_800_000_000, { 'loss/G_A': 70, 'eval/fid_AtoB': 12.5, bad: Number.NaN });
  await second.image(7, 'samples', transparent);
  await second.close();

  const { status, stdout, stderr } = await python('check_tensorboard.py', [folder], interpreter);
  expect(status, stderr).toBe(0);
  const read = JSON.parse(stdout.replaceAll('NaN', '"NaN"'));
  const kept = [1, 2, 3, 4, 5, 6];
  expect(read.scalars).toEqual({
    'loss/G_A': [...kept.map((step) => [step, 1_700_000_000 + step / 4, step / 8]), [7, 1_800_000_000, 70]],
    lr: kept.map((step) => [step, 1_700_000_000 + step / 4, 2 ** -12]),
    'eval/fid_AtoB': [[7, 1_800_000_000, 12.5]],
    bad: [[7, 1_800_000_000, 'NaN']],
  });
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  expect(read.images).toEqual({
    samples: [
      [5, 60, 40, hash(png)],
      [7, 7, 9, hash(transparent)],
    ],
  });
});
