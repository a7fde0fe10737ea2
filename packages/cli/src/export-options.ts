/** The options of `cyclegan export`, and how their values are read. Loads no package that does work. */
import type { Options } from 'yargs';
import { customLayersOption } from './custom-layers.js';
import { listOf, real } from './options.js';
import { wrongValue } from './usage.js';

/** `0..255` → [0, 255] */
function range(value: unknown): [number, number] {
  const [, black, white] = /^(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)$/.exec(String(value)) ?? [];
  const parsed: [number, number] = [Number(black), Number(white)];
  if (black !== undefined && white !== undefined && parsed[0] < parsed[1]) return parsed;
  throw wrongValue('range', 'the values of black and white, as -1..1, 0..1 or 0..255');
}

/** `256` → 256 × 256, `320x240`, `fixed`. */
function size(value: unknown): { width: number; height: number } | 'fixed' {
  if (value === 'fixed') return 'fixed';
  const [, width, height = width] = /^(\d{1,5})(?:x(\d{1,5}))?$/.exec(String(value)) ?? [];
  if (width !== undefined && height !== undefined && Number(width) > 0 && Number(height) > 0) {
    return { width: Number(width), height: Number(height) };
  }
  throw wrongValue('size', 'fixed, a number of pixels, or width and height as 320x240');
}

export const exportOptions = {
  out: { type: 'string', demandOption: true, describe: 'Folder for the bundle' },
  direction: {
    choices: ['AtoB', 'BtoA', 'both'],
    default: 'both',
    describe: 'Which generators to ship, as far as the source has them; which way a file of one translates',
  },
  target: {
    choices: ['cpu', 'gpu', 'browser'],
    describe: 'Where it is to run: cpu ships fp32 and int8, gpu fp32 and fp16, browser fp16-weights and fp16',
  },
  precision: {
    type: 'string',
    coerce: listOf('precision', ['fp32', 'fp16-weights', 'fp16', 'int8']),
    defaultDescription: 'fp32',
    describe: 'Precisions to ship, of fp32, fp16-weights, fp16, int8, joined by commas; wins over --target',
  },
  calibrate: {
    type: 'string',
    defaultDescription: "the run's own images",
    describe: 'Folder of images like those to translate, for int8 and for measuring; A and B in it if there',
  },
  'calibrate-method': {
    choices: ['percentile', 'entropy', 'minmax'],
    default: 'percentile',
    describe: 'How int8 chooses its ranges',
  },
  psnr: {
    type: 'number',
    default: 35,
    coerce: real('psnr', 0),
    describe: 'Least PSNR of int8 to fp32, dB; layers that cost too much stay in float32',
  },
  'reduce-range': {
    type: 'boolean',
    default: false,
    describe: 'int8 weights of 7 bits, safe on processors without VNNI, and a little less exact',
  },
  range: {
    type: 'string',
    coerce: range,
    defaultDescription: '-1..1',
    describe: 'Values of black and white in a foreign model: -1..1, 0..1 or 0..255',
  },
  'input-name': { type: 'string', describe: 'The image among the inputs of a foreign model' },
  'output-name': { type: 'string', describe: 'The image among the outputs of a foreign model' },
  key: {
    type: 'string',
    describe: 'Which network of a PyTorch file that holds several, as netG_A',
  },
  'custom-layers': customLayersOption,
  io: {
    choices: ['rgba8'],
    describe: "Also ship models that take and give a canvas's bytes, RGBA",
  },
  layout: { choices: ['nhwc'], describe: 'Also ship models with channels last' },
  size: {
    type: 'string',
    coerce: size,
    describe: "Also ship models of one size: 320x240, 256, or fixed for the training's",
  },
  tiles: {
    type: 'boolean',
    default: false,
    describe: 'Also ship the pair of models by which tiles of a large image agree',
  },
  triton: { type: 'string', describe: 'Also write an NVIDIA Triton model repository, into this folder' },
  card: { type: 'boolean', default: false, describe: 'Also write a model card, README.md, with samples' },
  name: {
    type: 'string',
    describe: 'Name in the manifest, by default that of the source',
  },
  licence: {
    type: 'string',
    describe: 'SPDX licence of the weights, as MIT or CC-BY-4.0',
  },
  verbose: { type: 'boolean', default: false, describe: 'Say what was done to the graphs, pass by pass' },
} as const satisfies Record<string, Options>;
