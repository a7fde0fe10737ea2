/** `cyclegan verify`: a bundle against its own self-check, its manifest and, where it is at hand, its checkpoint. */
import type { VerifyRow } from '@cyclegan/export';
import { defineCommand } from '../command.js';

export const verify = defineCommand({
  command: 'verify <bundle>',
  describe: 'Check that a bundle computes what its checkpoint computes',
  about:
    'Compares every stage with the one before: the files with the hashes of the manifest, each exported model with its self-check patch, and with --source also with the graph of the checkpoint. Ends with 1 when a difference is larger than its tolerance.',
  positionals: {
    bundle: { type: 'string', demandOption: true, describe: 'Folder that cyclegan export wrote' },
  },
  options: {
    source: {
      type: 'string',
      describe: 'The run folder or checkpoint that it was exported from',
    },
  },
  examples: [
    ['verify bundles/monet', 'the bundle by itself'],
    ['verify bundles/monet --source runs/monet', 'against the checkpoint too'],
  ],

  async handler(args, { output, signal }) {
    const { verifyBundle } = await import('@cyclegan/export');
    const progress = await output.progress('verify');
    const { rows, ok, skipped } = await verifyBundle({
      bundle: args.bundle,
      source: args.source,
      signal,
      onProgress: ({ done, total, what }) => progress.update(done, total, what),
      onWarning: output.warn,
    });
    for (const sentence of skipped) output.note(sentence);
    output.result(table(rows), { bundle: args.bundle, ok, rows, skipped });
    return ok ? 0 : 1;
  },
});

function table(rows: readonly VerifyRow[]): string {
  const lines = [
    ['', 'model', 'compared', 'largest', 'mean', 'allowed'],
    ...rows.map(({ model, comparison, maxError, meanError, tolerance, ok }) => [
      ok ? 'ok' : 'FAIL',
      model,
      comparison,
      ...[maxError, meanError, tolerance].map((error) => error?.toExponential(1) ?? ''),
    ]),
  ];
  const widths =
    lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  const notes = rows.flatMap(({ note, model }) => (note === undefined ? [] : [`${model}: ${note}`]));
  const aligned = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [...aligned, ...notes].join('\n');
}
