/**
 * Which translations a contact sheet shows: ranked by what the images were measured by, translated once more, put in
 * rows. Draws nothing.
 */
import type { Direction } from '@cyclegan/runtime-core';
import type { SheetImage, SheetSection } from './contact-sheet.js';
import type { ImageScores } from './direction-scores.js';
import type { EvaluateOptions, Evaluation } from './evaluate.js';
import { imageAt } from './image-shape.js';
import { measures } from './measures.js';

/** Images of each group. */
const PER_GROUP = 4;

/** What images are ranked by, and what its ends are called. */
const rankings = [
  { measure: 'l1', groups: ['best', 'median', 'worst'] },
  { measure: 'cycle', groups: ['best', 'median', 'worst'] },
  { measure: 'change', groups: ['least changed', 'median', 'most changed'] },
] as const;

/**
 * The sections of a sheet, one for each direction: by L1 where there are answers, else by cycle error, else, which is
 * no judgement, by how much the translation changed.
 * @param options what was evaluated, by the same translators
 */
export async function sheetSections(
  { images }: Pick<Evaluation, 'images'>,
  options: Pick<EvaluateOptions, 'sets' | 'paired' | 'translate'>,
): Promise<SheetSection[]> {
  const sections: SheetSection[] = [];
  for (const direction of ['AtoB', 'BtoA'] as const) {
    const section = await sectionOf(direction, images[direction] ?? [], options);
    if (section) sections.push(section);
  }
  return sections;
}

async function sectionOf(
  direction: Direction,
  scores: readonly ImageScores[],
  { sets, paired, translate }: Pick<EvaluateOptions, 'sets' | 'paired' | 'translate'>,
): Promise<SheetSection | undefined> {
  const ranking = rankings.find(({ measure }) => scores[0]?.[measure] !== undefined);
  const there = translate[direction];
  if (!ranking || !there) return undefined;
  const back = translate[direction === 'AtoB' ? 'BtoA' : 'AtoB'];
  const [from, to] = direction === 'AtoB' ? [sets.A, sets.B] : [sets.B, sets.A];
  const scoreOf = (index: number) => scores[index]?.[ranking.measure] ?? Number.NaN;

  const row = async (index: number) => {
    const real = await from.read([index]);
    const fake = await there(real, 1);
    const images: SheetImage[] = [
      { data: real, shape: from.shape },
      { data: fake, shape: to.shape },
    ];
    if (back) images.push({ data: await back(fake, 1), shape: from.shape });
    if (paired) images.push({ data: imageAt(await to.read([index]), to.shape, 0), shape: to.shape });
    const { title, digits } = measures[ranking.measure];
    return { name: from.name(index), value: `${title} ${scoreOf(index).toFixed(digits)}`, images };
  };
  const order = scores.map((_, index) => index).sort((one, other) => scoreOf(one) - scoreOf(other));
  const groups: SheetSection['groups'][number][] = [];
  for (const [index, members] of pickGroups(order).entries()) {
    const rows = [];
    for (const member of members) rows.push(await row(member));
    if (rows.length > 0) groups.push({ title: ranking.groups[index] ?? '', rows });
  }
  const columns = ['input', 'translated', ...(back ? ['back'] : []), ...(paired ? ['answer'] : [])];
  return {
    title: `${direction}, ${scores.length} images by ${measures[ranking.measure].title}`,
    columns,
    groups,
  };
}

/** The first, the middle and the last few; none twice. */
export function pickGroups<Item>(order: readonly Item[]): [Item[], Item[], Item[]] {
  const each = Math.max(1, Math.min(PER_GROUP, Math.floor(order.length / 3)));
  const middle = Math.ceil((order.length - each) / 2);
  const last = Math.max(each, order.length - each);
  return [
    order.slice(0, each),
    order.length < 3 ? [] : order.slice(middle, middle + each),
    order.slice(last),
  ];
}
