/** `cyclegan translate`: a bundle and images in, translated images out. */
import { defineCommand } from '../command.js';
import { tile, whole } from '../options.js';

export const translate = defineCommand({
  command: 'translate <bundle> <input..>',
  describe: 'Translate images and folders of images',
  about:
    'Images keep their size, their transparency and the way up that their EXIF data says; folders keep their structure. A file that cannot be read is named and passed over, and the command then ends with 1.',
  positionals: {
    bundle: { type: 'string', demandOption: true, describe: 'Folder that cyclegan export wrote' },
    input: { type: 'string', array: true, demandOption: true, describe: 'Images, and folders of images' },
  },
  options: {
    out: { type: 'string', demandOption: true, describe: 'Folder for the translations' },
    direction: {
      choices: ['AtoB', 'BtoA'],
      describe: 'Which way; by default AtoB where the bundle has it',
    },
    precision: {
      choices: ['fp32', 'fp16-weights', 'fp16', 'int8'],
      describe: 'Which of the models; by default fp32 where the bundle has it',
    },
    device: {
      choices: ['auto', 'cpu', 'cuda', 'webgpu'],
      default: 'auto',
      describe: 'Where to compute; auto takes the fastest that passes the self-check',
    },
    tile: {
      type: 'string',
      default: 'auto',
      coerce: tile,
      describe:
        'auto: whole images while they fit, else in tiles; none: always whole; a number: tiles of that size',
    },
    format: {
      choices: ['keep', 'png', 'jpg', 'webp'],
      default: 'keep',
      describe: 'Of the files written; keep: JPEG for JPEG, WebP for WebP, else PNG',
    },
    quality: {
      type: 'number',
      default: 92,
      coerce: whole('quality', 1, 100),
      describe: 'Of JPEG and WebP',
    },
    threads: {
      type: 'number',
      coerce: whole('threads', 1),
      defaultDescription: 'all cores',
      describe: 'Cores to use',
    },
  },
  examples: [
    ['translate bundles/monet photo.jpg --out painted', 'one image'],
    ['translate bundles/monet photos --out painted --direction AtoB --format webp', 'a folder'],
  ],

  async handler(args, { output, signal }) {
    const { createTranslator, translateFiles } = await import('@cyclegan/runtime-node');
    const { direction, precision, device, threads, out, format, quality } = args;
    const translator = await createTranslator(args.bundle, {
      direction,
      precision,
      device,
      tile: args.tile,
      threads,
      signal,
    });
    try {
      const { info } = translator;
      const progress = await output.progress('translate');
      const start = performance.now();
      const { translated, failed } = await translateFiles({
        translator,
        inputs: args.input,
        out,
        format,
        quality,
        signal,
        onStart() {
          output.note(`${info.direction} ${info.precision} on ${info.device}, ${info.threads} threads`);
        },
        onProgress({ done, total, file, tile: part, error }) {
          if (error) output.warn(error.message);
          progress.update(done, total, part ? `${file} (tile ${part.done}/${part.total})` : file);
        },
      });
      const seconds = (performance.now() - start) / 1000;
      const failures = failed.map(({ file, error }) => ({ file, message: error.message }));
      output.result(
        `${translated.length} translated to ${out} in ${seconds.toFixed(1)} s${failed.length > 0 ? `, ${failed.length} failed` : ''}`,
        {
          out,
          direction: info.direction,
          precision: info.precision,
          device: info.device,
          fallbacks: info.fallbacks,
          seconds,
          translated,
          failed: failures,
        },
      );
      return failed.length > 0 ? 1 : 0;
    } finally {
      await translator.dispose();
    }
  },
});
