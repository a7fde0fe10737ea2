/** What an export has made, in words. */
import type { DirectionReport, ExportResult } from '@cyclegan/export';

type Model = ExportResult['manifest']['models'][number];

/** One line a file. */
export function modelLines({ models, variants }: ExportResult['manifest']): string[] {
  const own = models.map((model) => [model.file, size(model), ...measurements(model)].join(', '));
  return [...own, ...variants.map((variant) => `${variant.file}, ${size(variant)}`)];
}

function size({ bytes }: { bytes: number }): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function measurements({ quality, speed }: Model): string[] {
  const words = quality
    ? [
        `PSNR to fp32 ${quality.psnr.toFixed(1)} dB (worst ${quality.worst.toFixed(1)} of ${quality.images} ${quality.of} images)`,
      ]
    : [];
  return [
    ...words,
    ...speed.map(({ device, ratio }) => `${ratio.toFixed(2)} times fp32's speed on this ${device}`),
  ];
}

/** What the passes did, and which convolutions int8 left in float32. */
export function reportLines({ direction, optimization, quantization }: DirectionReport): string[] {
  const [first] = optimization.passes;
  const last = optimization.operators.reduce((sum, { after }) => sum + after, 0);
  const whole = first ? [`${direction} graph: ${first.before} → ${last} nodes`] : [];
  const passes = optimization.passes
    .filter(({ rounds }) => rounds > 0)
    .map(({ pass, before, after }) => `${direction} ${pass}: ${before} → ${after} nodes`);
  const operators = optimization.operators
    .filter(({ before, after }) => before !== after)
    .map(({ operator, before, after }) => `${direction} ${operator}: ${before} → ${after}`);
  const convolutions = (quantization?.convolutions ?? []).map(
    ({ name, precision, reason, psnr, share }) =>
      `${direction} int8 ${name}: ${precision}${reason ? ` (${reason})` : ''}, ${(100 * share).toFixed(1)} % of the work${psnr === null ? '' : `, alone ${psnr.toFixed(1)} dB`}`,
  );
  return [...whole, ...passes, ...operators, ...convolutions];
}
