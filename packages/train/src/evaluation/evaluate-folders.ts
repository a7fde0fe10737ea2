/**
 * Evaluation from folders to files: opens the images, pairs and chooses them, measures, and leaves the numbers and a
 * contact sheet on disk where that is asked for. How images are translated is the caller's.
 */
import { join } from 'node:path';
import { writeAtomic } from '@cyclegan/model';
import type { Channels } from '../feed/augment.js';
import { contactSheet } from './contact-sheet.js';
import { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.js';
import { type FeatureModelOptions, openFeatureModel } from './feature-model.js';
import { openPictureSets, type PictureSet } from './picture-set.js';
import { sheetSections } from './ranking.js';

export interface EvaluateFoldersOptions extends Omit<EvaluateOptions, 'sets' | 'features'> {
  /** Folders of images of A and of B. Pairs are files of one name. */
  a: string;
  b: string;
  /** Edge that the images are brought to, pixels. */
  size: number;
  channels: { A: Channels; B: Channels };
  /** Most images of each domain, spread over the folder; default: all. */
  count?: number | undefined;
  features?: FeatureModelOptions | undefined;
  /** Folder for `evaluation.json`, with the measures of every image, and `sheet.png`. */
  out?: string | undefined;
  /** The contact sheet alone, or in place of the folder's. */
  sheet?: string | undefined;
}

export interface FoldersEvaluation extends Evaluation {
  counts: { A: number; B: number };
  /** What was written. */
  files: string[];
}

/**
 * measured; `output`; as {@link evaluate} and {@link openFeatureModel}
 */
export async function evaluateFolders(options: EvaluateFoldersOptions): Promise<FoldersEvaluation> {
  const { out, sheet = out && join(out, 'sheet.png') } = options;
  const sets = await openSets(options);
  const features = options.features && (await openFeatureModel(options.features));
  try {
    const evaluation = await evaluate({ ...options, sets, features });
    const files: string[] = [];
    if (sheet !== undefined) {
      await contactSheet({ path: sheet, sections: await sheetSections(evaluation, { ...options, sets }) });
      files.push(sheet);
    }
    if (out !== undefined) {
      const path = join(out, 'evaluation.json');
      await writeAtomic(path, `${JSON.stringify(record(evaluation, sets), null, 2)}\n`);
      files.push(path);
    }
    return { ...evaluation, counts: { A: sets.A.count, B: sets.B.count }, files };
  } finally {
    await features?.dispose();
  }
}

function openSets(options: EvaluateFoldersOptions): Promise<{ A: PictureSet; B: PictureSet }> {
  const { size, channels } = options;
  return openPictureSets({
    ...options,
    shapes: {
      A: { channels: channels.A, height: size, width: size },
      B: { channels: channels.B, height: size, width: size },
    },
    onProgress: (at) => options.onProgress?.({ ...at, what: 'images looked at' }),
  });
}

/** Plain JSON; what is not finite, as the PSNR of equal images, becomes null. */
function record({ metrics, untranslated, images }: Evaluation, sets: { A: PictureSet; B: PictureSet }) {
  const named = Object.entries(images).map(([direction, scores]) => {
    const set = direction === 'AtoB' ? sets.A : sets.B;
    return [direction, scores.map((each, index) => ({ file: set.name(index), ...each }))];
  });
  return { metrics, untranslated, images: Object.fromEntries(named) };
}
