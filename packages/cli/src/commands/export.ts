/** `cyclegan export`: trained weights in, a bundle of ONNX files and a manifest out. */
import { defineCommand } from '../command.js';
import { listOf } from '../options.js';
import { quoted } from '../output.js';

const precisions = listOf('precision', ['fp32']);

export const exportCommand = defineCommand({
  command: 'export <source>',
  describe: 'Turn a trained model into a bundle of ONNX files',
  about:
    'Writes the generators as ONNX graphs that take images of any size, with a manifest and a patch by which every runtime checks itself. The bundle is all that an app needs, in Node and in the browser.',
  positionals: {
    source: {
      type: 'string',
      demandOption: true,
      describe: 'A run folder, one of its checkpoints, or a weights.safetensors file',
    },
  },
  options: {
    out: { type: 'string', demandOption: true, describe: 'Folder for the bundle' },
    direction: {
      choices: ['AtoB', 'BtoA', 'both'],
      default: 'both',
      describe: 'Which generators to ship; one is half the size',
    },
    precision: {
      type: 'string',
      default: 'fp32',
      coerce: precisions,
      describe: 'Precisions to ship, joined by commas',
    },
    name: {
      type: 'string',
      describe: 'Name in the manifest, by default that of the source',
    },
    licence: {
      type: 'string',
      describe: 'SPDX licence of the weights, as MIT or CC-BY-4.0',
    },
  },
  examples: [
    ['export runs/monet --out bundles/monet', 'both directions of the last checkpoint'],
    [
      'export runs/monet/checkpoints/5000 --out bundles/monet --direction AtoB',
      'one direction of an earlier one',
    ],
  ],

  async handler(args, { output, signal }) {
    const { exportBundle } = await import('@cyclegan/export');
    const progress = await output.progress('export');
    const { bundle, manifest, files } = await exportBundle({
      source: args.source,
      out: args.out,
      direction: args.direction,
      precision: args.precision,
      name: args.name,
      licence: args.licence,
      signal,
      onProgress: ({ done, total, what }) => progress.update(done, total, what),
      onWarning: output.warn,
    });
    const models = manifest.models.map(({ direction, precision, bytes }) => ({
      direction,
      precision,
      bytes,
    }));
    const sizes = models.map(
      ({ direction, precision, bytes }) => `${direction} ${precision}, ${(bytes / 1e6).toFixed(1)} MB`,
    );
    output.result(
      `Exported ${sizes.join('; ')}. Next: cyclegan verify ${quoted(bundle)} --source ${quoted(args.source)}`,
      {
        bundle,
        name: manifest.name,
        models,
        files,
      },
    );
    return 0;
  },
});
