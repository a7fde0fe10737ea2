/** What `cyclegan translate` says: how far it is, what it has done, what failed, what it would do. Does none of it. */
import type {
  FilesPreview,
  TranslateFilesOptions,
  TranslateFilesResult,
  TranslatorInfo,
} from '@cyclegan/runtime-node';
import { type Output, quoted } from './output.js';
import { createPace, type Pace } from './pace.js';
import { describeTranslator, translatorFacts } from './translator-options.js';

/** Lines for people; programs get more. */
const SHOWN = 20;
const IN_JSON = 1000;

/** Where it goes: a folder or a ZIP. */
interface Place {
  out: string | undefined;
  zip: string | undefined;
}

/** Says what runs, then turns what the package tells of each file into one moving line. */
export async function createListeners(
  output: Output,
): Promise<Required<Pick<TranslateFilesOptions, 'onStart' | 'onProgress'>>> {
  const progress = await output.progress('translate');
  let pace: Pace | undefined;
  // Of a hundred videos, what is true of all of them is said once.
  const said = new Set<string>();
  let failed = 0;
  return {
    onStart(_, info) {
      for (const line of describeTranslator(info)) output.note(line);
      pace = createPace('images');
    },
    onProgress({ done, total, file, part, notes = [], outcome }) {
      for (const note of notes) if (!said.has(note)) output.note(note);
      for (const note of notes) said.add(note);
      if (outcome === 'failed') failed += 1;
      const within = part ? ` (${part.done}${part.total === null ? '' : `/${part.total}`})` : '';
      const words = [pace?.at(done, total), failed > 0 && `${failed} failed`, `${file}${within}`];
      progress.update(done, total, words.filter(Boolean).join(', '));
    },
  };
}

/** Names what failed, on stderr, and says what was done. */
export function reportResult(output: Output, { out, zip }: Place, result: TranslateFilesResult): void {
  const { info, seconds, translated, skipped, failed, ledger } = result;
  const failures = result.failures.map(({ file, error }) => ({ file, message: error.message }));
  for (const { message } of failures.slice(0, SHOWN)) output.warn(message);
  if (failed > SHOWN) {
    output.warn(
      `${failed - SHOWN} more files failed${ledger === undefined ? '' : `; ${quoted(ledger)} names all`}`,
    );
  }
  const rate = seconds > 0 && translated > 0 ? ` (${(translated / seconds).toFixed(1)} a second)` : '';
  const others = [skipped > 0 ? `, ${skipped} done before` : '', failed > 0 ? `, ${failed} failed` : ''].join(
    '',
  );
  output.result(`${translated} translated to ${out ?? zip} in ${seconds.toFixed(1)} s${rate}${others}`, {
    out,
    zip,
    ...translatorFacts(info),
    seconds,
    translated,
    skipped,
    failed,
    failures,
    ledger,
  });
}

export function reportPreview(output: Output, { out, zip }: Place, preview: FilesPreview): void {
  const { info, jobs, done, videos } = preview;
  const { memory, tile } = info.settings;
  const lines = jobs.slice(0, SHOWN).map(({ input, name }) => `${input} -> ${name}`);
  if (jobs.length > SHOWN) lines.push(`… and ${jobs.length - SHOWN} more`);
  const counts = [
    `${jobs.length - videos} images`,
    ...(videos > 0 ? [`${videos} videos`] : []),
    ...(done > 0 ? [`${done} of them done before`] : []),
  ].join(', ');
  lines.push(
    `would translate to ${out ?? zip}: ${counts}`,
    ...describeTranslator(info),
    memoryPlan(info.settings),
  );
  output.result(lines.join('\n'), {
    dryRun: true,
    out,
    zip,
    ...translatorFacts(info),
    memory,
    tile,
    total: jobs.length,
    videos,
    done,
    jobs: jobs.slice(0, IN_JSON),
  });
}

function memoryPlan({ memory, tile }: TranslatorInfo['settings']): string {
  if (tile === 'none') return 'memory: all images whole, whatever they take';
  if (typeof tile === 'number') return `memory: tiles of ${tile} pixels`;
  return `memory: ${((memory ?? 0) / 2 ** 30).toFixed(1)} GiB for a translation; an image that needs more goes in tiles`;
}
