/**
 * The order of devices and the fall from one to the next, with its reasons. Opens nothing itself.
 */
import { CycleganError, isCycleganError, reasonOf, throwIfAborted } from './errors.js';
import type { ConcreteDevice, TranslatorInfo } from './translator.js';

export interface OpenFirstOptions<Candidate, Opened> {
  /** In the order to try; several for one device where it has several models to try. */
  candidates: readonly Candidate[];
  /** Why a device need not be tried, where the runtime knows that without trying. */
  absence?: ((device: ConcreteDevice) => string | undefined) | undefined;
  open(candidate: Candidate): Promise<Opened>;
  signal?: AbortSignal | undefined;
}

/**
 * Opens the first candidate that can be opened. One whose device is not there, or that fails the self-check, is passed
 * over with its reason; a damaged bundle or an abort ends the search at once, since no device would mend them.
 * @throws CycleganError `device` naming every candidate's reason; `bundle`, `aborted` as they came
 */
export async function openFirst<Candidate extends { device: ConcreteDevice }, Opened>(
  options: OpenFirstOptions<Candidate, Opened>,
): Promise<{ candidate: Candidate; opened: Opened; fallbacks: TranslatorInfo['fallbacks'] }> {
  const { candidates, absence, open, signal } = options;
  const fallbacks: TranslatorInfo['fallbacks'] = [];
  let cause: unknown;
  for (const candidate of candidates) {
    throwIfAborted(signal, '[translator] session');
    const { device } = candidate;
    const absent = absence?.(device);
    if (absent !== undefined) {
      if (fallbacks.at(-1)?.device !== device) fallbacks.push({ device, reason: absent });
      continue;
    }
    try {
      return { candidate, opened: await open(candidate), fallbacks };
    } catch (error) {
      if (isCycleganError(error) && error.code !== 'device') throw error;
      fallbacks.push({ device, reason: reasonOf(error) });
      cause = error;
    }
  }
  const devices = [...new Set(candidates.map(({ device }) => device))];
  const reasons = fallbacks.map(({ device, reason }) => `${device} (${reason})`).join('; ');
  throw new CycleganError(
    'device',
    `[translator] device: expected ${devices.join(' or ')} to run the model, got ${reasons}. Choose another device.`,
    { cause },
  );
}
