/**
 * The program's half of a translator: images in and out, progress, abort and disposal, over a worker that computes.
 * Both runtimes are thin adapters of it: they say what an image is, which devices to try, and how a worker starts.
 */
import pLimit from 'p-limit';
import { type ConcreteDevice, openFirst } from './devices.js';
import { CycleganError, throwIfAborted } from './errors.js';
import type { Manifest, ModelEntry } from './manifest.js';
import type { Pixels, TranslatedPixels } from './pixels.js';
import { assertTile } from './tiles.js';
import type { CallOptions, Progress, Tile, Translator, TranslatorInfo } from './translator.js';
import { connect, type Port } from './worker-link.js';

/** What a worker needs to open a session; plain data that can be cloned. */
export interface OpenRequest<Source> {
  device: ConcreteDevice;
  model: ModelEntry;
  tile: Tile;
  /** The model file in the runtime's own form: a path, a Blob, URLs. */
  source: Source;
}

export type Opened = Pick<TranslatorInfo, 'selfCheckError' | 'threads' | 'loadMs'>;

/** Called by the host, in the worker. */
export interface WorkerFunctions<Source> {
  /** Opens the session and runs the self-check. Called once. */
  open(request: OpenRequest<Source>): Promise<Opened>;
  /** @param id chosen by the host, above 0; names the call in `abort` and `report` */
  translate(id: number, pixels: Pixels): Promise<TranslatedPixels>;
  abort(id: number): void;
  /** Stops what runs and frees the session. */
  close(): Promise<void>;
}

/** Called by the worker, in the host. */
export interface HostFunctions {
  /** @param id of the translate call; 0 while the session is opened */
  report(id: number, progress: Progress): void;
}

/** A started worker. */
export interface WorkerHandle {
  port: Port;
  /** Calls back once when the worker dies by itself (an uncaught error, a failed load, out of memory). */
  onFailure(listener: (error: Error) => void): void;
  /**
   * Ends the worker: at once where that is safe, or else after `idle`.
   * @param idle settles when the worker computes nothing any more and has freed its session; never rejects
   */
  terminate(idle?: Promise<void>): Promise<void>;
}

export interface HostOptions<Source, Image, Output> extends CallOptions {
  manifest: Manifest;
  model: ModelEntry;
  source: Source;
  tile: Tile;
  /** In the order to try; each gets a fresh worker, for a failed start may leave the old one unusable. */
  devices: readonly ConcreteDevice[];
  /** Why a device need not be tried, where the runtime knows that without trying. */
  absence?: ((device: ConcreteDevice) => string | undefined) | undefined;
  startWorker(device: ConcreteDevice): WorkerHandle;
  /** An image as pixels in memory of their own: it is moved to the worker. */
  decode(image: Image): Promise<Pixels>;
  encode(pixels: TranslatedPixels): Output | Promise<Output>;
}

/** Images that are decoded, computed and encoded at a time: the worker always finds the next one ready. */
const IN_FLIGHT = 3;

/**
 * Opens the first device that passes the self-check and gives the translator.
 * @throws CycleganError `usage` (tile), `device`, `bundle`, `aborted`
 */
export async function createHostedTranslator<Source, Image, Output>(
  options: HostOptions<Source, Image, Output>,
): Promise<Translator<Image, Output>> {
  const { manifest, model, signal } = options;
  assertTile(options.tile);
  const { device, opened, fallbacks } = await openFirst({
    candidates: options.devices,
    absence: options.absence,
    open: (candidate) => openWorker(options, candidate),
    signal,
  });
  const { worker, listeners, facts } = opened;
  const limit = pLimit(IN_FLIGHT);
  let nextId = 1;
  let disposal: Promise<void> | undefined;

  async function translateNow(image: Image, id: number, call: CallOptions): Promise<Output> {
    throwIfUnusable(call.signal);
    const pixels = await options.decode(image);
    throwIfUnusable(call.signal);
    if (call.onProgress) listeners.set(id, call.onProgress);
    return options.encode(await worker.translate(id, pixels));
  }

  function throwIfUnusable(callSignal: AbortSignal | undefined): void {
    throwIfAborted(callSignal, '[translate] image');
    if (disposal) {
      throw new CycleganError(
        'usage',
        '[translate] translator: expected one in use, got one that was disposed. Create a new one.',
      );
    }
    const failure = opened.failure();
    if (failure) throw failure;
  }

  return {
    info: { direction: model.direction, precision: model.precision, device, fallbacks, ...facts, manifest },
    async translate(image, call = {}) {
      throwIfUnusable(call.signal);
      const id = nextId++;
      const result = limit(() => translateNow(image, id, call));
      return abortable(result, call.signal, () => worker.abort(id)).finally(() => listeners.delete(id));
    },
    dispose() {
      disposal ??= opened.end();
      return disposal;
    },
  };
}

async function openWorker<Source, Image, Output>(
  options: HostOptions<Source, Image, Output>,
  device: ConcreteDevice,
) {
  const { model, tile, source, onProgress } = options;
  const listeners = new Map<number, (progress: Progress) => void>(onProgress ? [[0, onProgress]] : []);
  const handle = options.startWorker(device);
  const link = connect<WorkerFunctions<Source>, HostFunctions>(
    // As a microtask of its own, so that what a listener throws surfaces as from any event listener.
    { report: (id, progress) => queueMicrotask(() => listeners.get(id)?.(progress)) },
    handle.port,
  );
  let failure: CycleganError | undefined;
  handle.onFailure((cause) => {
    failure ??= new CycleganError(
      'device',
      `[translator] ${device}: expected its worker to live, got "${cause.message}". Choose another device or smaller tiles.`,
      { cause },
    );
    link.close(failure);
  });
  const end = async () => {
    // A worker that died cannot close; it needs no closing then.
    await handle.terminate(link.remote.close().catch(() => undefined));
    link.close(new CycleganError('aborted', '[translate] image: the translator was disposed.'));
  };
  try {
    const opening = link.remote.open({ device, model, tile, source });
    const facts = await abortable(opening, options.signal, () => undefined);
    listeners.delete(0);
    return { worker: link.remote, listeners, facts, end, failure: () => failure };
  } catch (error) {
    // Opening may go on for a while in a call that cannot be cut short; nobody has to wait for its end.
    void end();
    throw error;
  }
}

/** The promise, or an `aborted` error as soon as the signal fires; `stop` is then called. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined, stop: () => void): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      stop();
      reject(
        new CycleganError('aborted', '[translate] image: stopped on request.', { cause: signal.reason }),
      );
    };
    signal.addEventListener('abort', onAbort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
