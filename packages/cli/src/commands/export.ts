/** `cyclegan export`: a generator of any origin in, a bundle of ONNX files and a manifest out. */
import { defineCommand } from '../command.js';
import { loadCustomLayers } from '../custom-layers.js';
import { exportOptions } from '../export-options.js';
import { modelLines, reportLines } from '../export-summary.js';
import { quoted } from '../output.js';

export const exportCommand = defineCommand({
  command: 'export <source>',
  describe: 'Turn a model into a bundle of ONNX files',
  about:
    'Writes the generators as ONNX graphs that take images of any size, with a manifest and a patch by which every runtime checks itself. The bundle is all that an app needs, in Node and in the browser. Every file is held against the source before it ships.',
  positionals: {
    source: {
      type: 'string',
      demandOption: true,
      describe:
        'A run folder, one of its checkpoints, a weights.safetensors, a PyTorch .pth, a TensorFlow.js model.json, or an .onnx',
    },
  },
  options: exportOptions,
  examples: [
    ['export runs/monet --out bundles/monet', 'both directions of the last checkpoint'],
    [
      'export latest_net_G_A.pth --out bundles/monet --target browser --card',
      'PyTorch weights for the browser; the file of G_B beside it is found',
    ],
    [
      'export model.json --out bundles/anime --range 0..1 --precision fp32,int8 --calibrate photos',
      'a tfjs model that works on values from 0 to 1',
    ],
  ],

  async handler(args, { output, signal }) {
    const { exportBundle } = await import('@cyclegan/export');
    const progress = await output.progress('export');
    const { bundle, manifest, files, reports, triton } = await exportBundle({
      source: args.source,
      out: args.out,
      direction: args.direction,
      precision: args.precision,
      target: args.target,
      calibrate: args.calibrate,
      calibrateMethod: args.calibrateMethod,
      psnr: args.psnr,
      reduceRange: args.reduceRange,
      range: args.range,
      input: args.inputName,
      output: args.outputName,
      key: args.key,
      customLayers: await loadCustomLayers(args.customLayers),
      io: args.io,
      layout: args.layout === undefined ? undefined : 'NHWC',
      size: args.size,
      tiles: args.tiles,
      triton: args.triton,
      card: args.card,
      name: args.name,
      licence: args.licence,
      signal,
      onProgress: ({ done, total, what }) => progress.update(done, total, what),
      onWarning: output.warn,
    });
    if (args.verbose) for (const line of reports.flatMap(reportLines)) output.note(line);
    const models = manifest.models.map(({ direction, precision, bytes, quality, speed }) => ({
      direction,
      precision,
      bytes,
      quality,
      speed,
    }));
    const lines = modelLines(manifest).map((line) => `  ${line}`);
    const next = `Next: cyclegan verify ${quoted(bundle)} --source ${quoted(args.source)}`;
    output.result([`Exported ${manifest.name} to ${bundle}:`, ...lines, next].join('\n'), {
      bundle,
      name: manifest.name,
      models,
      variants: manifest.variants.map(({ direction, precision, file, bytes }) => ({
        direction,
        precision,
        file,
        bytes,
      })),
      files,
      triton,
      reports,
    });
    return 0;
  },
});
