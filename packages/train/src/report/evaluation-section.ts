/** How good the translators are on held-out images, over time: curves, and the first, best and latest values. */
import { type Measure, measures } from '../evaluation/measures.js';
import { charts, type Panel } from './chart.js';
import { escapeHtml } from './html.js';
import type { RunData } from './run-data.js';
import { capital, count, short, spaced } from './words.js';

/** What the section is about, in a sentence or two of HTML. */
export function evaluationWords({ best, evaluations }: RunData): string {
  const measured = 'Measured on images that are kept aside.';
  if (best === undefined) return measured;
  const { metric } = evaluations.find(({ step }) => step === best) ?? {};
  const by = metric === undefined ? '' : `, by ${escapeHtml(label(metric))}`;
  return `${measured} Best so far: the checkpoint of <b>step ${count(best)}</b>${by}; a dot marks it.`;
}

/** HTML of the section's content; empty when the run was never evaluated. */
export function evaluationSection({ evaluations, best }: RunData): string {
  const latest = evaluations.at(-1);
  if (!latest) return '';
  const found = [...new Set(evaluations.flatMap((line) => Object.keys(line.eval)))];
  // Both directions of a measure stand together.
  const bases = [...new Set(found.map((name) => split(name).base))];
  const names = bases.flatMap((base) => found.filter((name) => split(name).base === base));
  const steps = evaluations.map(({ step }) => step);
  const panels = new Map<string, Panel>();
  for (const name of names) {
    const { base, side, way } = split(name);
    const measure = measureOf(base);
    // What is neither good nor bad is in the table alone.
    if (measure && measure.better === undefined) continue;
    const panel: Panel = panels.get(base) ?? {
      title: title(base),
      meaning: measure ? `${capital(measure.about)}. ${capital(`${measure.better}`)} is better.` : '',
      series: [],
      line: 'exact',
      from: 'least',
      mark: best,
    };
    panel.series.push({
      name: way || name,
      side,
      values: evaluations.map((line) => line.eval[name] ?? null),
    });
    panels.set(base, panel);
  }
  const curves = evaluations.length > 1 ? charts(steps, [...panels.values()]) : '';
  const columns = [
    ...(evaluations.length > 1 ? [{ head: 'First', line: evaluations[0] }] : []),
    ...(best === undefined ? [] : [{ head: 'Best', line: evaluations.find(({ step }) => step === best) }]),
    { head: 'Latest', line: latest },
  ];
  const heads = columns.map(
    ({ head, line }) =>
      `<th scope="col">${head}<span class="soft">step ${count(line?.step ?? 0)}</span></th>`,
  );
  const rows = names.map((name) => {
    const values = columns.map(({ line }) => line?.eval[name]);
    const cells = values.map((value) => `<td>${typeof value === 'number' ? short(value) : '–'}</td>`);
    return `<tr><th scope="row">${escapeHtml(label(name))}</th>${cells.join('')}</tr>`;
  });
  return `${curves}<div class="card scroll values"><table><thead><tr><th scope="col">Metric</th>${heads.join('')}</tr></thead><tbody>
${rows.join('\n')}
</tbody></table></div>`;
}

/** A metric's name in words, such as `KID, A → B`. */
export function label(name: string): string {
  const { base, way } = split(name);
  return way ? `${title(base)}, ${way}` : title(base);
}

function title(base: string): string {
  return capital(measureOf(base)?.title ?? spaced(base));
}

/** Undefined for a metric of another version. */
function measureOf(base: string): Measure | undefined {
  return (measures as Readonly<Record<string, Measure>>)[base];
}

const ways: Readonly<Record<string, string>> = { AtoB: 'A → B', BtoA: 'B → A', A: 'A', B: 'B' };

function split(name: string): { base: string; side: 'a' | 'b'; way: string } {
  const [, base = name, direction = ''] = /^(.+)_(AtoB|BtoA|A|B)$/.exec(name) ?? [];
  return { base, side: direction.startsWith('B') ? 'b' : 'a', way: ways[direction] ?? '' };
}
