/**
 * The order of devices and the fall from one to the next, with its reasons. Opens nothing itself.
 */
import { CycleganError, isCycleganError, throwIfAborted } from './errors.js';
import type { Device, TranslatorInfo } from './translator.js';

export type ConcreteDevice = Exclude<Device, 'auto'>;

export interface OpenFirstOptions<Opened> {
  /** In the order to try. */
  candidates: readonly ConcreteDevice[];
  /** Why a device need not be tried, where the runtime knows that without trying. */
  absence?: ((device: ConcreteDevice) => string | undefined) | undefined;
  open(device: ConcreteDevice): Promise<Opened>;
  signal?: AbortSignal | undefined;
}

/**
 * Opens the first candidate that can be opened. A device that is not there, or that fails the self-check, is passed
 * over with its reason; a damaged bundle or an abort ends the search at once, since no device would mend them.
 * @throws CycleganError `device` naming every candidate's reason; `bundle`, `aborted` as they came
 */
export async function openFirst<Opened>(
  options: OpenFirstOptions<Opened>,
): Promise<{ device: ConcreteDevice; opened: Opened; fallbacks: TranslatorInfo['fallbacks'] }> {
  const { candidates, absence, open, signal } = options;
  const fallbacks: TranslatorInfo['fallbacks'] = [];
  let cause: unknown;
  for (const device of candidates) {
    throwIfAborted(signal, '[translator] session');
    const absent = absence?.(device);
    if (absent !== undefined) {
      fallbacks.push({ device, reason: absent });
      continue;
    }
    try {
      return { device, opened: await open(device), fallbacks };
    } catch (error) {
      if (isCycleganError(error) && error.code !== 'device') throw error;
      fallbacks.push({ device, reason: error instanceof Error ? error.message : String(error) });
      cause = error;
    }
  }
  const reasons = fallbacks.map(({ device, reason }) => `${device} (${reason})`).join('; ');
  throw new CycleganError(
    'device',
    `[translator] device: expected ${candidates.join(' or ')} to run the model, got ${reasons}. Choose another device.`,
    { cause },
  );
}
