/** `cyclegan verify`: a bundle against its manifest, its source and the providers of this machine. */
import { defineCommand } from '../command.js';
import { customLayersOption, loadCustomLayers } from '../custom-layers.js';
import { listOf } from '../options.js';
import { comparisonTable, placementTable } from '../verify-table.js';

const devices = listOf('device', ['cpu', 'cuda', 'tensorrt', 'webgpu']);

export const verify = defineCommand({
  command: 'verify <bundle>',
  describe: 'Check that a bundle computes what its source computes',
  about:
    'Compares every stage with the one before: the source with the graph imported from it, that with the float32 file, the other precisions and interfaces with float32, and each file with itself on every device of this machine, from which it also says which operators run where. Ends with 1 when a difference is larger than it may be.',
  positionals: {
    bundle: { type: 'string', demandOption: true, describe: 'Folder that cyclegan export wrote' },
  },
  options: {
    source: {
      type: 'string',
      describe: 'What it was exported from',
    },
    'custom-layers': customLayersOption,
    images: {
      type: 'string',
      defaultDescription: 'synthetic ones',
      describe: 'Folder of images to compare on; A and B in it if there',
    },
    device: {
      type: 'string',
      coerce: devices,
      defaultDescription: 'those of this machine',
      describe: 'Devices to run on, of cpu, cuda, tensorrt, webgpu, joined by commas',
    },
  },
  examples: [
    ['verify bundles/monet', 'the bundle by itself'],
    [
      'verify bundles/monet --source runs/monet --images photos',
      'against the checkpoint too, on real images',
    ],
  ],

  async handler(args, { output, signal }) {
    const { verifyBundle } = await import('@cyclegan/export');
    const progress = await output.progress('verify');
    const { rows, placements, ok, skipped } = await verifyBundle({
      bundle: args.bundle,
      source: args.source,
      images: args.images,
      customLayers: await loadCustomLayers(args.customLayers),
      devices: args.device,
      signal,
      onProgress: ({ done, total, what }) => progress.update(done, total, what),
      onWarning: output.warn,
    });
    for (const sentence of skipped) output.note(sentence);
    const lines = [...comparisonTable(rows), '', ...placementTable(placements)];
    output.result(lines.join('\n').trimEnd(), { bundle: args.bundle, ok, rows, placements, skipped });
    return ok ? 0 : 1;
  },
});
