/** What an evaluation came to, for people: a table of measures by direction, with what doing nothing would score. */
import { type Evaluation, type MeasureName, measures, metricName } from '@cyclegan/train';

/** Columns: the measure, each direction's number with that of the untranslated images behind it, what it is. */
export function evaluationTable({
  metrics,
  untranslated,
}: Pick<Evaluation, 'metrics' | 'untranslated'>): string {
  const directions = (['AtoB', 'BtoA'] as const).filter((direction) =>
    Object.keys(metrics).some((name) => name.endsWith(direction)),
  );
  const rows = (Object.keys(measures) as MeasureName[]).flatMap((measure) => {
    const { title, about, better, digits } = measures[measure];
    const names = directions.map((direction) => metricName(measure, direction));
    if (names.every((name) => metrics[name] === undefined)) return [];
    const number = (value: number | undefined) => value?.toFixed(digits) ?? '';
    const cells = names.map((name) => {
      const input = untranslated[name];
      return [number(metrics[name]), input === undefined ? '' : `(${number(input)})`];
    });
    return [[title, ...cells.flat(), better ? `${about}; ${better} is better` : about]];
  });
  const head = ['', ...directions.flatMap((direction) => [direction, '(input)']), ''];
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => {
          const numbers = column > 0 && column < head.length - 1;
          return numbers ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
