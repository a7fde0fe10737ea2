/**
 * A reader of Python's pickles, protocols 2 to 5: the opcodes that torch.save writes for tensors and plain values.
 * It runs nothing: objects are made by globals.ts alone. A pickle's own stack is an array here, so that no depth of
 * nesting reaches ours.
 */
import { Buffer } from 'node:buffer';
import { damaged, refused, SAVE_WEIGHTS } from './errors.js';
import { call, globalOf } from './globals.js';
import { otherOpcodes } from './opcode-names.js';
import type { PickleValue } from './values.js';

/** The state_dict of a full-size generator takes 2,400 steps, all four networks and their optimizers 17,000. */
const MAX_STEPS = 250_000;

/** Opcode → what it does. PyTorch writes no others for what is read here. */
const opcodes: Readonly<Record<number, (pickle: PickleReader) => void>> = {
  /* PROTO */ 128: (p) => p.protocol(p.uint(1)),
  /* FRAME */ 149: (p) => p.skip(8),
  /* MARK */ 40: (p) => p.mark(),
  /* NONE */ 78: (p) => p.push(null),
  /* NEWTRUE */ 136: (p) => p.push(true),
  /* NEWFALSE */ 137: (p) => p.push(false),
  /* BININT */ 74: (p) => p.push(p.take(4).readInt32LE()),
  /* BININT1 */ 75: (p) => p.push(p.uint(1)),
  /* BININT2 */ 77: (p) => p.push(p.uint(2)),
  /* LONG1 */ 138: (p) => p.push(integer(p.take(p.uint(1)))),
  /* BINFLOAT */ 71: (p) => p.push(p.take(8).readDoubleBE()),
  /* BINUNICODE */ 88: (p) => p.push(p.take(p.uint(4)).toString()),
  /* SHORT_BINUNICODE */ 140: (p) => p.push(p.take(p.uint(1)).toString()),
  // Python 2's strings.
  /* BINSTRING */ 84: (p) => p.push(p.take(p.uint(4)).toString()),
  /* SHORT_BINSTRING */ 85: (p) => p.push(p.take(p.uint(1)).toString()),
  /* EMPTY_LIST */ 93: (p) => p.push([]),
  /* EMPTY_TUPLE */ 41: (p) => p.push([]),
  /* EMPTY_DICT */ 125: (p) => p.push(new Map()),
  /* APPEND */ 97: (p) => p.append(p.pop(1)),
  /* APPENDS */ 101: (p) => p.append(p.popToMark()),
  /* TUPLE */ 116: (p) => p.push(p.popToMark()),
  /* TUPLE1 */ 133: (p) => p.push(p.pop(1)),
  /* TUPLE2 */ 134: (p) => p.push(p.pop(2)),
  /* TUPLE3 */ 135: (p) => p.push(p.pop(3)),
  /* SETITEM */ 115: (p) => p.setItems(p.pop(2)),
  /* SETITEMS */ 117: (p) => p.setItems(p.popToMark()),
  /* GLOBAL */ 99: (p) => p.global(p.line(), p.line()),
  /* STACK_GLOBAL */ 147: (p) => p.global(...p.pop(2)),
  /* REDUCE */ 82: (p) => p.reduce(...p.pop(2)),
  /* BUILD */ 98: (p) => p.build(p.pop(1)),
  /* BINPERSID */ 81: (p) => p.push(p.persistent(p.pop(1)[0] ?? null)),
  /* BINPUT */ 113: (p) => p.put(p.uint(1)),
  /* LONG_BINPUT */ 114: (p) => p.put(p.uint(4)),
  /* MEMOIZE */ 148: (p) => p.put(p.memoized),
  /* BINGET */ 104: (p) => p.get(p.uint(1)),
  /* LONG_BINGET */ 106: (p) => p.get(p.uint(4)),
};

const STOP = 0x2e;

/** Reads pickles that lie one after another. */
export class PickleReader {
  /** Where the next pickle, or what follows the last one, begins. */
  position = 0;
  /** Gives what a persistent id stands for. */
  persistent: (id: PickleValue) => PickleValue = () => {
    throw damaged(this.#where, 'plain values', 'a storage');
  };
  readonly #bytes: Buffer;
  readonly #where: string;
  /** What was pushed since each mark that is still open; the last is the stack in use. */
  #stacks: PickleValue[][] = [[]];
  #memo = new Map<number, PickleValue>();

  /** @param where the file, for messages */
  constructor(bytes: Uint8Array, where: string) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#where = where;
  }

  /**
   * Reads the next pickle.
   * @throws CycleganError `bundle` for bytes that are none, opcodes and names that are not on the lists, and more
   * steps than any state_dict takes
   */
  read(): PickleValue {
    this.#stacks = [[]];
    this.#memo = new Map();
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const code = this.uint(1);
      if (code === STOP) return this.pop(1)[0] ?? null;
      const run = opcodes[code];
      if (!run) throw this.#unknown(code);
      run(this);
    }
    throw damaged(this.#where, `a pickle of at most ${MAX_STEPS} steps`, 'a longer one');
  }

  #unknown(code: number): Error {
    const name = otherOpcodes[code];
    if (name === undefined) return this.#wrong('an opcode', `byte 0x${code.toString(16)}`);
    return refused(this.#where, 'tensors and plain values', `the pickle opcode ${name}`, SAVE_WEIGHTS);
  }

  #wrong(expected: string, got: string): Error {
    return damaged(this.#where, `${expected} at byte ${this.position} of the pickle`, got);
  }

  take(count: number): Buffer {
    const end = this.position + count;
    if (end > this.#bytes.length) throw this.#wrong(`${count} bytes more`, 'the end');
    const taken = this.#bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }

  skip(count: number): void {
    this.take(count);
  }

  uint(bytes: 1 | 2 | 4): number {
    return this.take(bytes).readUIntLE(0, bytes);
  }

  /** Text up to the end of the line. */
  line(): string {
    const end = this.#bytes.indexOf('\n', this.position);
    if (end < 0) throw this.#wrong('a line', 'the end');
    const text = this.take(end - this.position).toString();
    this.skip(1);
    return text;
  }

  protocol(version: number): void {
    if (version < 2 || version > 5) throw this.#wrong('pickle protocol 2 to 5', `${version}`);
  }

  get #stack(): PickleValue[] {
    return this.#stacks.at(-1) ?? [];
  }

  mark(): void {
    this.#stacks.push([]);
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  /** The topmost values, in the order pushed. */
  pop(count: number): PickleValue[] {
    if (this.#stack.length < count) throw this.#wrong(`${count} values`, `${this.#stack.length}`);
    return this.#stack.splice(-count);
  }

  popToMark(): PickleValue[] {
    const popped = this.#stacks.length > 1 ? this.#stacks.pop() : undefined;
    if (!popped) throw this.#wrong('a mark', 'none');
    return popped;
  }

  #top(): PickleValue {
    const top = this.#stack.at(-1);
    if (top === undefined) throw this.#wrong('a value', 'none');
    return top;
  }

  append(values: readonly PickleValue[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#wrong('a list', 'something else');
    for (const value of values) list.push(value);
  }

  setItems(items: readonly PickleValue[]): void {
    const dictionary = this.#top();
    if (!(dictionary instanceof Map) || items.length % 2 !== 0) {
      throw this.#wrong('a dictionary and pairs for it', 'something else');
    }
    for (let i = 0; i < items.length; i += 2) dictionary.set(items[i] ?? null, items[i + 1] ?? null);
  }

  global(module: PickleValue = null, name: PickleValue = null): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.#wrong('two names', 'others');
    this.push(globalOf(module, name, this.#where));
  }

  reduce(callee: PickleValue = null, args: PickleValue = null): void {
    this.push(call(callee, args, this.#where));
  }

  /** Attributes are for a dictionary alone: a state_dict's `_metadata`, which says nothing of its weights. */
  build(_attributes: readonly PickleValue[]): void {
    if (!(this.#top() instanceof Map)) throw this.#wrong('attributes of a state_dict', 'of something else');
  }

  get memoized(): number {
    return this.#memo.size;
  }

  put(index: number): void {
    this.#memo.set(index, this.#top());
  }

  get(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#wrong(`memo ${index}`, 'none');
    this.push(value);
  }
}

/** Two's complement, little-endian; 0 when empty. */
function integer(bytes: Buffer): number | bigint {
  const unsigned = BigInt(`0x0${Buffer.from(bytes).reverse().toString('hex')}`);
  const value = BigInt.asIntN(Math.max(8 * bytes.length, 1), unsigned);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
