/**
 * One layer's configuration as Keras writes it, read key by key: what is missing or null falls back, what does not fit
 * is refused with the layer's name. Knows no layer.
 */
import type { Layout } from '../kernels.js';
import { refuseModel } from '../model-json.js';

/** Before and after, of height and of width. */
export type Edges = readonly [readonly [number, number], readonly [number, number]];

const MOST = 2 ** 31 - 1;

export class LayerConfig {
  /** For people: `Conv2D conv_1`. */
  readonly layer: string;
  readonly #file: string;
  readonly #values: Readonly<Record<string, unknown>>;

  /** @param file the model.json, for messages */
  constructor(file: string, layer: string, values: Readonly<Record<string, unknown>>) {
    this.#file = file;
    this.layer = layer;
    this.#values = values;
  }

  /** What stands under a key; undefined for null and for nothing. */
  value(key: string): unknown {
    return Object.hasOwn(this.#values, key) ? (this.#values[key] ?? undefined) : undefined;
  }

  /** Whether null stands under a key, which some layers tell from nothing. */
  isNull(key: string): boolean {
    return Object.hasOwn(this.#values, key) && this.#values[key] === null;
  }

  /** @throws CycleganError `bundle` always: `expected` completes "expected Conv2D conv_1 with …" */
  refuse(expected: string, got: string): never {
    return refuseModel(
      this.#file,
      `expected ${this.layer} with ${expected}, got ${got.slice(0, 200)}. Convert the model again.`,
    );
  }

  /** @throws CycleganError `bundle` where the value is no finite number, or missing without a fallback */
  number(key: string, fallback?: number): number {
    const value = this.value(key) ?? fallback;
    return typeof value === 'number' && Number.isFinite(value) ? value : this.#misfit(key, 'a number');
  }

  /** @throws CycleganError `bundle` likewise, and below `least`, which is 0 by default */
  integer(key: string, { fallback, least = 0 }: { fallback?: number; least?: number } = {}): number {
    const value = this.value(key) ?? fallback;
    return isInteger(value) && value >= least ? value : this.#misfit(key, `a whole number from ${least}`);
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.value(key) ?? fallback;
    return typeof value === 'boolean' ? value : this.#misfit(key, 'true or false');
  }

  text(key: string, fallback?: string): string {
    const value = this.value(key) ?? fallback;
    return typeof value === 'string' ? value : this.#misfit(key, 'a text');
  }

  /** One of a few texts. */
  choice<const T extends string>(key: string, choices: readonly T[], fallback: T): T {
    const value = this.text(key, fallback);
    return choices.find((choice) => choice === value) ?? this.#misfit(key, choices.join(' or '));
  }

  /** A list of whole numbers, or one alone. */
  integers(key: string, fallback?: readonly number[]): readonly number[] {
    const value = this.value(key) ?? fallback;
    const list = Array.isArray(value) ? value : [value];
    return list.length <= 16 && list.every(isInteger) ? list : this.#misfit(key, 'a list of whole numbers');
  }

  /** For height and width: two numbers, or one for both. */
  pair(key: string, fallback?: readonly [number, number]): readonly [number, number] {
    const pair = asPair(this.value(key) ?? fallback);
    return pair && Math.min(...pair) >= 1 ? pair : this.#misfit(key, 'one or two whole numbers from 1');
  }

  /** As Keras writes paddings and croppings: one number, [height, width], or [[top, bottom], [left, right]]. */
  edges(key: string, fallback?: number): Edges {
    const value = this.value(key) ?? fallback;
    const sides = Array.isArray(value) ? value : [value, value];
    const [height, width] = sides.map(asPair);
    const fits = sides.length === 2 && height && width && Math.min(...height, ...width) >= 0;
    return fits ? [height, width] : this.#misfit(key, 'a number, two, or two pairs, each from 0');
  }

  /** Where `data_format` says that the channels are; channels_last by default. */
  layout(): Layout {
    const format = this.choice('data_format', ['channels_last', 'channels_first'], 'channels_last');
    return format === 'channels_last' ? 'NHWC' : 'NCHW';
  }

  #misfit(key: string, expected: string): never {
    const value = this.value(key);
    return this.refuse(`${key} of ${expected}`, value === undefined ? 'none' : JSON.stringify(value));
  }
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(value as number) <= MOST;
}

function asPair(value: unknown): readonly [number, number] | undefined {
  const [first, second, ...others] = Array.isArray(value) ? value : [value, value];
  return isInteger(first) && isInteger(second) && others.length === 0 ? [first, second] : undefined;
}
