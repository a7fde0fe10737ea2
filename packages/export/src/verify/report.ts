/** The rows of a verification as they come, and what a failure looks like in one. Compares nothing. */
import { isCycleganError } from '@cyclegan/runtime-core';
import { isWithin } from './allowance.js';
import type { Check } from './checks.js';
import type { Placement } from './placement.js';

/** Thrown by a check that this machine cannot make: no fault of the bundle's. */
export class NotHere extends Error {}

/** One comparison. The errors are absolute differences on [-1, 1]. */
export interface VerifyRow {
  /** Direction, precision and what else is not usual: `AtoB fp32`, `AtoB fp32 rgba8`. */
  model: string;
  comparison: string;
  /** Null, as the others, where there are no numbers to compare; NaN where an output holds NaN. */
  maxError: number | null;
  meanError: number | null;
  /** dB; 150 for equal results. */
  psnr: number | null;
  /** Null also for images too small for it. */
  ssim: number | null;
  /** The largest `maxError` that passes; null where PSNR decides. */
  tolerance: number | null;
  /** The least `psnr` that passes; null where the largest error decides. */
  leastPsnr: number | null;
  ok: boolean;
  /** In a row that is not ok: what there is to say beside the numbers. */
  note?: string;
}

export interface Report {
  readonly rows: VerifyRow[];
  readonly placements: Placement[];
  /** A sentence for each comparison that could not be made here, and says nothing of the bundle. */
  readonly skipped: string[];
  /** A row without numbers, ok when `work` succeeds. @returns what it returned */
  attempt<T>(model: string, comparison: string, work: () => Promise<T>): Promise<T | undefined>;
  /** A row of a check's numbers. */
  check(model: string, check: Check): Promise<void>;
}

/** @param begin called before every comparison; may throw to stop all of it */
export function createReport(begin: (what: string) => Promise<void>): Report {
  const rows: VerifyRow[] = [];
  const placements: Placement[] = [];
  const skipped: string[] = [];
  return {
    rows,
    placements,
    skipped,
    async attempt(model, comparison, work) {
      await begin(`${model}: ${comparison}`);
      const row = { model, comparison, ...noNumbers, tolerance: null, leastPsnr: null };
      try {
        const result = await work();
        rows.push({ ...row, ok: true });
        return result;
      } catch (error) {
        rows.push({ ...row, ok: false, note: reasonOf(error) });
        return undefined;
      }
    },
    async check(model, { comparison, allowed, hint, measure }) {
      await begin(`${model}: ${comparison}`);
      const limits = {
        tolerance: 'max' in allowed ? allowed.max : null,
        leastPsnr: 'psnr' in allowed ? allowed.psnr : null,
      };
      try {
        const found = await measure();
        const { max: maxError, mean: meanError, psnr, ssim } = found;
        const ok = isWithin(allowed, found);
        const note = ok || hint === undefined ? {} : { note: hint };
        rows.push({ model, comparison, maxError, meanError, psnr, ssim, ...limits, ok, ...note });
      } catch (error) {
        if (error instanceof NotHere) {
          skipped.push(`[verify] ${model}, ${comparison}: left out, because ${error.message}.`);
          return;
        }
        rows.push({ model, comparison, ...noNumbers, ...limits, ok: false, note: reasonOf(error) });
      }
    },
  };
}

const noNumbers = { maxError: null, meanError: null, psnr: null, ssim: null };

/** The message, where a failure says something of the bundle. @throws the failure, where the caller stopped the work */
function reasonOf(error: unknown): string {
  if (isCycleganError(error) && error.code === 'aborted') throw error;
  return error instanceof Error ? error.message : String(error);
}
