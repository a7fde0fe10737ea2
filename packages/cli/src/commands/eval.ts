/** `cyclegan eval`: a bundle and images of both domains in, numbers and a contact sheet out. */
import { defineCommand } from '../command.js';
import { real, whole } from '../options.js';

export const evalCommand = defineCommand({
  command: 'eval <bundle>',
  describe: 'Measure how good a model is: on pairs, as a set, and there and back',
  about:
    'Translates images that the model has not been trained on and measures the translations: against their answers where there are pairs (L1, PSNR, SSIM, structure), against the other domain as a set where there is a feature model (FID, KID, MiFID), and by translating back (cycle). Behind each number stands, in brackets, what the untranslated images score. docs/evaluation.md says what the numbers mean and how to get a feature model.',
  positionals: {
    bundle: {
      type: 'string',
      demandOption: true,
      describe: 'Folder that cyclegan export wrote; or a run folder, or one of its checkpoints',
    },
  },
  options: {
    a: { type: 'string', demandOption: true, describe: 'Folder with images of A, kept aside from training' },
    b: { type: 'string', demandOption: true, describe: 'Folder with images of B' },
    paired: {
      type: 'boolean',
      default: false,
      describe: 'Files of one name belong together (an ending _A or _B counts for nothing)',
    },
    features: { type: 'string', describe: 'ONNX file of a feature model, for FID, KID and MiFID' },
    'features-size': {
      type: 'number',
      coerce: whole('features-size', 1, 2048),
      defaultDescription: "the file's, else 299",
      describe: 'Edge of its input, pixels',
    },
    'features-range': {
      choices: ['signed', 'unit', 'bytes', 'imagenet'],
      default: 'signed',
      describe:
        'Its black and white: -1 and 1, 0 and 1, 0 and 255, or 0 and 1 normalised as torchvision does',
    },
    'mifid-threshold': {
      type: 'number',
      default: 0.1,
      coerce: real('mifid-threshold', 0),
      describe: 'Distance below which MiFID takes translations for memorised; 0.1 is Kaggle’s',
    },
    direction: {
      choices: ['AtoB', 'BtoA', 'both'],
      default: 'both',
      describe: 'Which way, as far as the bundle has it',
    },
    precision: {
      choices: ['fp32', 'fp16-weights', 'fp16', 'int8'],
      describe: 'Which of the models; by default fp32 where the bundle has it',
    },
    out: { type: 'string', describe: 'Folder for evaluation.json, with every image, and sheet.png' },
    sheet: { type: 'string', describe: 'PNG file for the sheet of the best, median and worst' },
    size: {
      type: 'number',
      coerce: whole('size', 16, 4096),
      defaultDescription: "training's",
      describe: 'Images are stretched to a square of this edge, pixels',
    },
    count: {
      type: 'number',
      coerce: whole('count', 1),
      defaultDescription: 'all',
      describe: 'Most images of each folder, spread over it',
    },
    seed: {
      type: 'number',
      default: 0,
      coerce: whole('seed', 0, 2 ** 31 - 1),
      describe: 'Chooses the subsets of KID',
    },
    device: {
      choices: ['auto', 'cpu', 'cuda', 'tensorrt', 'webgpu'],
      default: 'auto',
      describe: 'Where to compute; the feature model runs on cuda or cpu',
    },
    threads: {
      type: 'number',
      coerce: whole('threads', 1),
      defaultDescription: 'all cores',
      describe: 'Cores to use',
    },
  },
  examples: [
    ['eval bundles/monet --a testA --b testB --out evaluation', 'cycle error and a contact sheet'],
    ['eval bundles/maps --a testA --b testB --paired --json', 'against the answers'],
    ['eval bundles/monet --a testA --b testB --features inception.onnx', 'FID, KID and MiFID too'],
  ],

  async handler(args, { output, signal }) {
    const { evaluationDirections, evaluationSize, withBundle } = await import('../eval-bundle.js');
    const { openFloatTranslators } = await import('../float-translator.js');
    const { evaluationTable } = await import('../eval-table.js');
    const { evaluateFolders } = await import('@cyclegan/train');
    const progress = await output.progress('eval');
    const { a, b, paired, out, sheet, count, seed, precision, device, threads } = args;
    return withBundle({ source: args.bundle, signal, onWarning: output.warn }, async (bundle, manifest) => {
      const size = evaluationSize(args.size, manifest);
      const directions = evaluationDirections(args.direction, manifest);
      const options = { size, precision, device, threads, signal };
      const translators = await openFloatTranslators(bundle, manifest, options);
      try {
        const { info, translate, channels } = translators;
        output.note(`${info.precision} at ${size}×${size} on ${info.device}, ${info.threads} threads`);
        const evaluation = await evaluateFolders({
          a,
          b,
          paired,
          size,
          channels,
          count,
          translate,
          directions,
          features:
            args.features === undefined
              ? undefined
              : {
                  model: args.features,
                  size: args['features-size'],
                  range: args['features-range'],
                  device: info.device === 'cuda' ? 'cuda' : 'cpu',
                  threads,
                },
          threshold: args['mifid-threshold'],
          seed,
          out,
          sheet,
          signal,
          onProgress: ({ done, total, what }) => progress.update(done, total, what),
          onWarning: output.warn,
        });
        const { metrics, untranslated, counts, files } = evaluation;
        const written = files.length > 0 ? [`Wrote ${files.join(' and ')}`] : [];
        output.result([evaluationTable(evaluation), ...written].join('\n'), {
          bundle: args.bundle,
          size,
          precision: info.precision,
          device: info.device,
          directions,
          counts,
          metrics,
          untranslated,
          files,
        });
        return 0;
      } finally {
        await translators.dispose();
      }
    });
  },
});
