/**
 * The page and the picture of bench/ablation.mjs: tables of means over seeds, and a few held-out icons through every
 * variant. Trains and measures nothing.
 */
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { writeAtomic } from '@cyclegan/model';
import { escapeHtml, spread } from '@cyclegan/train';
import sharp from 'sharp';

const begin = '<!-- Written by bench/ablation.mjs, from here to the end mark. -->';
const end = '<!-- End mark. -->';

/** Columns of the tables; `variety` and `back` are of translations only. */
const columns = [
  { key: 'l1', title: 'L1 ↓', digits: 3 },
  { key: 'psnr', title: 'PSNR ↑', digits: 2 },
  { key: 'ssim', title: 'SSIM ↑', digits: 3 },
  { key: 'structure', title: 'structure ↑', digits: 3 },
  { key: 'back', title: 'there and back ↓', digits: 3 },
  { key: 'variety', title: 'variety', digits: 2 },
];

/**
 * Writes ablation.png and ablation.md; of an ablation.md that is there already, what stands between the marks.
 * @param rows of each variant its title, one result for each seed that is done, and where one's translations lie
 */
export async function writePage({ out, rows, set, setting, seeds, threads, command }) {
  const path = join(out, 'ablation.md');
  const { size, ngf, blocks, steps } = setting;
  const done = rows.reduce((sum, { results }) => sum + results.length, 0);
  const wanted = rows.length * seeds.length;
  const { a, b } = set.labels;
  const block = [
    begin,
    '',
    `${size}×${size} px, ngf ${ngf}, ${blocks} residual ${blocks === 1 ? 'block' : 'blocks'}, ${steps} steps of batch 1 with the rate falling over the last half, λ 10 where a cycle counts, no identity loss, pool 50; ${set.counts.trainA} ${a} and ${set.counts.trainB} ${b} icons, none in both; ${set.names.length} held-out pairs. Seeds ${seeds.join(', ')}; ${done} of ${wanted} runs are done${done < wanted ? ', so these tables are not complete' : ''}.`,
    '',
    `${cpus()[0]?.model.trim()}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}.`,
    '',
    '```sh',
    command,
    '```',
    '',
    ...table(`A → B: ${a} to ${b}`, 'AtoB', rows),
    '',
    ...table(`B → A: ${b} to ${a}`, 'BtoA', rows),
    '',
    `![Held-out icons through every variant, seed ${seeds[0]}](ablation.png)`,
    '',
    end,
  ].join('\n');
  await writePicture(join(out, 'ablation.png'), rows, set);
  await writeAtomic(path, await placed(path, block));
}

/** Mean ± standard deviation over the seeds. */
function table(title, direction, rows) {
  const untranslated = rows
    .flatMap(({ results }) => results)
    .map((result) => result[direction].untranslated)[0];
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const body = rows.map(({ title, results }) => {
    const cells = columns.map(({ key, digits }) =>
      meanAndSpread(
        results.map((result) => result[direction][key]),
        digits,
      ),
    );
    return line([title, ...cells, results.length]);
  });
  const nothing = columns.map(({ key, digits }) => untranslated?.[key]?.toFixed(digits) ?? '–');
  return [
    `### ${title}`,
    '',
    line(['variant', ...columns.map((column) => column.title), 'seeds']),
    line(['---', ...columns.map(() => '---:'), '---:']),
    ...body,
    line(['*untranslated*', ...nothing, '–']),
  ];
}

function meanAndSpread(numbers, digits) {
  if (numbers.length === 0) return '–';
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  if (numbers.length === 1) return mean.toFixed(digits);
  const variance = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (numbers.length - 1);
  return `${mean.toFixed(digits)} ± ${Math.sqrt(variance).toFixed(digits)}`;
}

/** What people wrote around the results stays. */
async function placed(path, block) {
  const old = await readFile(path, 'utf8').catch(() => `# What each loss contributes\n\n${begin}${end}\n`);
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`${path} has not both marks. Put it elsewhere, or choose another --out.`);
  return old.slice(0, from) + block + old.slice(to + end.length);
}

const CELL = 72;
const GAP = 6;
const LABEL = 204;
const HEAD = 56;
const BETWEEN = 30;
const PER_WAY = 6;

/** A row for the inputs, for every variant that is done, and for the answers; A → B at the left, B → A at the right. */
async function writePicture(path, rows, set) {
  const names = spread(set.names, PER_WAY);
  const ways = [
    { title: `${set.labels.a} → ${set.labels.b}`, direction: 'AtoB', input: set.held.A, answer: set.held.B },
    { title: `${set.labels.b} → ${set.labels.a}`, direction: 'BtoA', input: set.held.B, answer: set.held.A },
  ];
  const lines = [
    { title: 'input', folder: ({ input }) => input },
    ...rows
      .filter(({ translated }) => translated !== undefined)
      .map(({ title, translated }) => ({ title, folder: ({ direction }) => join(translated, direction) })),
    { title: 'answer', folder: ({ answer }) => answer },
  ];
  const pitch = CELL + GAP;
  const wayWidth = names.length * pitch + BETWEEN;
  const overlays = [];
  const marks = [];
  const write = (content, x, y, weight = 400) =>
    marks.push(
      `<text x="${x}" y="${y}" font-size="15" font-weight="${weight}" fill="#1f2328">${escapeHtml(content)}</text>`,
    );
  for (const [at, way] of ways.entries()) write(way.title, LABEL + at * wayWidth, 34, 700);
  for (const [row, { title, folder }] of lines.entries()) {
    const top = HEAD + row * pitch;
    write(title, 14, top + CELL / 2 + 5, row === 0 || row === lines.length - 1 ? 700 : 400);
    for (const [at, way] of ways.entries()) {
      for (const [column, name] of names.entries()) {
        const left = LABEL + at * wayWidth + column * pitch;
        const icon = sharp(join(folder(way), name)).resize(CELL, CELL, { kernel: 'nearest' });
        overlays.push({ input: await icon.png().toBuffer(), left, top });
        marks.push(
          `<rect x="${left - 0.5}" y="${top - 0.5}" width="${CELL + 1}" height="${CELL + 1}" fill="none" stroke="#d0d7de"/>`,
        );
      }
    }
  }
  const width = LABEL + ways.length * wayWidth;
  const height = HEAD + lines.length * pitch + 14;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif"><rect width="100%" height="100%" fill="#fff"/>${marks.join('')}</svg>`;
  await writeAtomic(path, await sharp(Buffer.from(svg)).composite(overlays).png().toBuffer());
}
