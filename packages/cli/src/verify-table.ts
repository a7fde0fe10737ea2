/** The tables of `cyclegan verify`: every comparison, and which nodes run where. */
import type { Placement, VerifyRow } from '@cyclegan/export';

export function comparisonTable(rows: readonly VerifyRow[]): string[] {
  const notes = rows.flatMap(({ note, model, comparison }) =>
    note === undefined ? [] : [`${model}, ${comparison}: ${note}`],
  );
  return [
    ...aligned([
      ['', 'model', 'compared', 'largest', 'mean', 'PSNR', 'SSIM', 'allowed'],
      ...rows.map((row) => [
        row.ok ? 'ok' : 'FAIL',
        row.model,
        row.comparison,
        row.maxError?.toExponential(1) ?? '',
        row.meanError?.toExponential(1) ?? '',
        row.psnr?.toFixed(1) ?? '',
        row.ssim?.toFixed(4) ?? '',
        row.tolerance?.toExponential(1) ?? (row.leastPsnr === null ? '' : `${row.leastPsnr.toFixed(0)} dB`),
      ]),
    ]),
    ...notes,
  ];
}

/** One line for each model and device; what fell back is named operator by operator. */
export function placementTable(placements: readonly Placement[]): string[] {
  if (placements.length === 0) return [];
  return aligned([
    ['model', 'device', 'nodes there', 'nodes elsewhere'],
    ...placements.map(({ model, device, nodes, fellBack }) => [
      model,
      device,
      `${total(nodes) - total(fellBack)}`,
      fellBack.map(({ op, count, provider }) => `${count} ${op} on ${provider}`).join(', ') || 'none',
    ]),
  ]);
}

function total(nodes: Placement['nodes']): number {
  return nodes.reduce((sum, { count }) => sum + count, 0);
}

function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths =
    lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
