/** `cyclegan translate`: a bundle and images in, translated images out. */
import type { NodeTranslator } from '@cyclegan/runtime-node';
import { defineCommand } from '../command.js';
import { imageOptions, translateOptions } from '../translate-options.js';
import { isPipe, translatePipe } from '../translate-pipe.js';
import { createListeners, reportPreview, reportResult } from '../translate-report.js';
import { openTranslator } from '../translator-options.js';
import { UsageError } from '../usage.js';

const about = [
  'Takes files, folders (their structure is kept) and patterns, quoted or not. Images keep their size, their',
  'transparency and the way up that their EXIF data says; animated GIF and WebP stay animated, and videos keep their',
  'sound, where ffmpeg is installed. A file that cannot be read is passed over and named at the end, and the command',
  'then ends with 1. Ctrl-C leaves what is done, and --resume goes on from there.',
].join(' ');

export const translate = defineCommand({
  command: 'translate <bundle> <input..>',
  describe: 'Translate images, folders of images, and videos',
  about,
  positionals: {
    bundle: { type: 'string', demandOption: true, describe: 'Folder that cyclegan export wrote' },
    input: {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'Images, videos, folders, patterns; - is an image from stdin',
    },
  },
  options: translateOptions,
  examples: [
    ['translate bundles/monet photo.jpg --out painted', 'one image'],
    ['translate bundles/monet photos --out painted --format webp', 'a folder, and all below it'],
    ['translate bundles/monet "photos/**/*.jpg" --out painted --resume', 'what was not done yet'],
    ['translate bundles/monet photos --zip images.zip', 'for a competition on Kaggle'],
    ['translate bundles/monet - --out - < photo.jpg > painted.jpg', 'in a pipe'],
    ['translate bundles/monet huge.tif --out painted --memory 2G', 'in tiles, if it needs more'],
  ],

  async handler(args, { output, signal }) {
    const { out, zip, resume, input: inputs } = args;
    if (out === undefined && zip === undefined) throw new UsageError('expected --out or --zip, got neither');
    const pipe = isPipe(args);
    const { isCycleganError, previewFiles, translateFiles } = await import('@cyclegan/runtime-node');
    const opened: NodeTranslator[] = [];
    const translator = async (count: number) => {
      const fresh = await openTranslator(args, signal, count);
      opened.push(fresh);
      return fresh;
    };
    const images = imageOptions(args);
    const files = { translator, inputs, out, zip, resume, signal, ...images };
    try {
      if (pipe) {
        await translatePipe(await translator(1), { input: inputs[0], images, output, signal });
        return 0;
      }
      if (args.dryRun) {
        reportPreview(output, { out, zip }, await previewFiles(files));
        return 0;
      }
      const result = await translateFiles({ ...files, ...(await createListeners(output)) });
      reportResult(output, { out, zip }, result);
      return result.failed > 0 ? 1 : 0;
    } catch (error) {
      const resumable = isCycleganError(error) && error.code === 'aborted' && !pipe && out !== undefined;
      if (resumable) output.note('The same command with --resume goes on with the rest.');
      throw error;
    } finally {
      for (const each of opened) await each.dispose();
    }
  },
});
