/** What a bundle is to hold: the options of an export, checked, with what is left out filled in. Exports nothing. */
import {
  CycleganError,
  type Direction,
  type Manifest,
  manifestSchema,
  type Precision,
  precisionSchema,
} from '@cyclegan/runtime-core';
import type { CustomLayer } from '../import/tfjs/index.js';
import type { QuantizeOptions } from '../precision/index.js';
import type { ValueRange } from './model-interface.js';

/** How far a piece of work is: `done` of `total` parts are finished, and `what` is begun. */
export interface Progress {
  done: number;
  total: number;
  what: string;
}

/** Where the models are to run: each stands for the precisions that are best there. */
export const targets = {
  /** 8 bits for processors that have them, float32 for all. */
  cpu: ['fp32', 'int8'],
  /** Halves for GPUs that compute in them, float32 for all. */
  gpu: ['fp32', 'fp16'],
  /** Small downloads: WebAssembly computes the one in float32, WebGPU the other in halves. */
  browser: ['fp16-weights', 'fp16'],
} as const satisfies Record<string, readonly Precision[]>;

export type Target = keyof typeof targets;

export interface ExportOptions {
  /**
   * A run folder (its latest checkpoint), a checkpoint, a weights.safetensors, a PyTorch .pth, a TensorFlow.js
   * model.json or its folder, or an .onnx.
   */
  source: string;
  /** The bundle's folder. An older bundle there is replaced; anything else is left alone. */
  out: string;
  /** Default: all that the source holds. Of a file of one generator it says which way that translates. */
  direction?: Direction | 'both' | undefined;
  /** Default: those of `target`, else `['fp32']`. */
  precision?: readonly Precision[] | undefined;
  target?: Target | undefined;
  /** Folder of images like those to translate; int8 needs it, unless the source is a run whose images are still there. */
  calibrate?: string | undefined;
  /** Default `percentile`. */
  calibrateMethod?: QuantizeOptions['method'];
  /** The least that int8 may have to fp32, in dB; default 35. */
  psnr?: number | undefined;
  /** int8 weights of 7 bits, for processors without VNNI, whose older integer instructions may overflow. */
  reduceRange?: boolean | undefined;
  /** The values of black and white in a foreign model; default -1 and 1, or what the source itself says. */
  range?: ValueRange | undefined;
  /** Of a foreign model with several: which input and output are the images. */
  input?: string | undefined;
  output?: string | undefined;
  /** Of a PyTorch file with several networks: which dictionary. */
  key?: string | undefined;
  /** Of a tfjs layers model: kinds of layers beside those that are built in. */
  customLayers?: readonly CustomLayer[] | undefined;
  /** Another interface beside the usual one: a canvas's bytes, channels last, one size (`fixed`: the training's). */
  io?: 'rgba8' | undefined;
  layout?: 'NHWC' | undefined;
  size?: { width: number; height: number } | 'fixed' | undefined;
  /** Also the pair of graphs for tiles of large images that agree. */
  tiles?: boolean | undefined;
  /** Also a model repository for NVIDIA Triton, in this folder. */
  triton?: string | undefined;
  /** Also a model card, README.md, with samples. */
  card?: boolean | undefined;
  /** 1 to 200 characters; default: that of the run or the file. */
  name?: string | undefined;
  /** SPDX expression of the weights' licence; default: none stated. */
  licence?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Told in one sentence what is not as it might be expected, and that the export goes on. */
  onWarning?: ((message: string) => void) | undefined;
}

export type Facts = Pick<Manifest, 'name' | 'licence'>;

/** @throws CycleganError `usage` for a value that cannot be meant */
export function checkOptions({ precision, name, licence, size, range }: ExportOptions): void {
  const wrong = (what: string, expected: string, got: string) =>
    new CycleganError('usage', `[export] ${what}: expected ${expected}, got ${got}. Choose another value.`);
  const { shape } = manifestSchema;
  const known = precision?.every((each) => precisionSchema.safeParse(each).success) ?? true;
  if (!known || precision?.length === 0) {
    const expected = precisionSchema.options.join(', ');
    throw wrong('precision', `one or more of ${expected}`, precision?.join() || 'none');
  }
  if (name !== undefined && !shape.name.safeParse(name).success) {
    throw wrong('name', '1 to 200 characters', `${name.length}`);
  }
  if (licence !== undefined && !shape.licence.safeParse(licence).success) {
    throw wrong('licence', 'at most 200 characters', `${licence.length}`);
  }
  if (typeof size === 'object') {
    const fits = [size.width, size.height].every(
      (side) => Number.isSafeInteger(side) && side >= 1 && side <= 16384,
    );
    if (!fits) throw wrong('size', 'sides of 1 to 16384 px', `${size.width}x${size.height}`);
  }
  if (
    range !== undefined &&
    !(Number.isFinite(range[0]) && Number.isFinite(range[1]) && range[0] < range[1])
  ) {
    throw wrong('range', 'black below white', `${range[0]}..${range[1]}`);
  }
}

/** Those asked for, each once, in the order of their likeness to fp32. */
export function precisionsOf({ precision, target }: ExportOptions): Precision[] {
  const wanted: readonly Precision[] = precision ?? (target ? targets[target] : ['fp32']);
  return precisionSchema.options.filter((each) => wanted.includes(each));
}
