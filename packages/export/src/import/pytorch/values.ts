/** What a pickle of tensors holds, as plain data: nothing here can do anything. */
import type { ElementType } from './element-types.js';

/** Lists and tuples are arrays. The same object may be held twice, and a list or dictionary may hold itself. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Global
  | Storage
  | TensorView
  | PickleValue[]
  | PickleDictionary;

/** Also Python's OrderedDict. */
export type PickleDictionary = Map<PickleValue, PickleValue>;

/** A name of Python's that is on the list of those allowed: `torch.FloatStorage`. */
export class Global {
  constructor(readonly name: string) {}
}

/** Elements that lie one after another somewhere in the file. */
export class Storage {
  constructor(
    /** The file's own name for it. Two storages of one key are the same bytes. */
    readonly key: string,
    readonly type: ElementType,
    /** Elements. */
    readonly length: number,
  ) {}

  get bytes(): number {
    return this.length * this.type.bytes;
  }
}

/** A tensor: which elements of its storage, all of them within it. */
export class TensorView {
  constructor(
    readonly storage: Storage,
    /** The first element's place, in elements. */
    readonly offset: number,
    readonly shape: readonly number[],
    /** In elements; 0 repeats. */
    readonly strides: readonly number[],
  ) {}

  get elements(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }
}
