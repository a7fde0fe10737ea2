/**
 * Holds a bundle against its manifest, its checkpoint and the runtime, model by model, and reports every difference
 * as a number. What is compared with what is in checks.ts.
 */
import { setImmediate } from 'node:timers/promises';
import { isCycleganError, type ModelEntry, throwIfAborted } from '@cyclegan/runtime-core';
import { readBundle } from '@cyclegan/runtime-node';
import type { Progress } from '../export-bundle.js';
import { withSession } from '../session.js';
import { readSource } from '../source.js';
import { CHECKPOINT_COMPARISON, type Check, checksOf } from './checks.js';
import { openModel } from './open-model.js';

export interface VerifyOptions {
  /** A folder that `exportBundle` wrote. */
  bundle: string;
  /** What it was exported from: run folder, checkpoint or weights file. Without it that comparison is left out. */
  source?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Counts models. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Told in one sentence when a damaged checkpoint is passed over for an older one. */
  onWarning?: ((message: string) => void) | undefined;
}

/** One comparison. The errors are absolute differences on [-1, 1]. */
export interface VerifyRow {
  /** Direction and precision: `AtoB fp32`. */
  model: string;
  comparison: string;
  /** Null, as the mean, where there are no numbers to compare; NaN where an output holds NaN. */
  maxError: number | null;
  meanError: number | null;
  /** The largest `maxError` that passes. */
  tolerance: number | null;
  ok: boolean;
  /** In a row that is not ok: what there is to say beside the numbers. */
  note?: string;
}

export interface VerifyResult {
  /** Whether every row is. */
  ok: boolean;
  rows: VerifyRow[];
  /** A sentence for each comparison that was left out. */
  skipped: string[];
}

/**
 * Verifies every model of a bundle. A difference that is too large is a row that is not ok, and no error. A file that
 * is not the manifest's is not run, and has that one row.
 * @throws CycleganError `bundle` for a manifest that cannot be read; what reading the source throws; `aborted`
 */
export async function verifyBundle(options: VerifyOptions): Promise<VerifyResult> {
  const { bundle, signal, onProgress } = options;
  throwIfAborted(signal, '[verify] bundle');
  const { manifest } = await readBundle(bundle);
  const source =
    options.source === undefined ? undefined : await readSource(options.source, options.onWarning);
  const { training, models } = manifest;
  const rows: VerifyRow[] = [];
  for (const [done, entry] of models.entries()) {
    const model = nameOf(entry);
    const begin = async (what: string) => {
      // onnxruntime holds up the thread; the request to stop comes in between.
      await setImmediate();
      throwIfAborted(signal, '[verify] bundle');
      onProgress?.({ done, total: models.length, what: `${model}: ${what}` });
    };
    const file = { model, comparison: 'file as the manifest says', ...noNumbers };
    await begin(file.comparison);
    try {
      const opened = await openModel(bundle, entry);
      await withSession(opened.bytes, 'disabled', async (direct) => {
        rows.push({ ...file, ok: true });
        for (const check of checksOf({ ...opened, bundle, entry, training, direct, source, signal })) {
          await begin(check.comparison);
          rows.push({ model, ...(await judge(check)) });
        }
      });
    } catch (error) {
      rows.push({ ...file, ok: false, note: reasonOf(error) });
    }
  }
  onProgress?.({ done: models.length, total: models.length, what: `${rows.length} comparisons` });
  const skipped = source ? [] : [`[verify] ${CHECKPOINT_COMPARISON}: left out, because no source was named.`];
  return { ok: rows.every(({ ok }) => ok), rows, skipped };
}

const noNumbers = { maxError: null, meanError: null, tolerance: null };

function nameOf({ direction, precision }: ModelEntry): string {
  return `${direction} ${precision}`;
}

async function judge({ comparison, tolerance, hint, measure }: Check): Promise<Omit<VerifyRow, 'model'>> {
  try {
    const { max, mean } = await measure();
    const ok = max <= tolerance;
    const note = ok || hint === undefined ? {} : { note: hint };
    return { comparison, maxError: max, meanError: mean, tolerance, ok, ...note };
  } catch (error) {
    return { comparison, ...noNumbers, tolerance, ok: false, note: reasonOf(error) };
  }
}

/** The message, where a failure says something of the bundle. @throws the failure, where the caller stopped the work */
function reasonOf(error: unknown): string {
  if (isCycleganError(error) && error.code === 'aborted') throw error;
  return error instanceof Error ? error.message : String(error);
}
