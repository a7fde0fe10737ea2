/**
 * A TensorFlow node's attributes as protobuf's JSON has them: text as base64 or byte lists, whole numbers as numbers or
 * strings, types by name or number. Knows no operators.
 */
import type { DType } from '@cyclegan/graph';
import { z } from 'zod';

const number = z.union([z.number(), z.string().max(40).transform(Number)]);
const text = z.union([
  z.string().transform((base64) => Buffer.from(base64, 'base64').toString()),
  z.array(z.number()).transform((bytes) => Buffer.from(bytes).toString()),
]);
const type = z.union([z.string(), z.number()]);
const shape = z.looseObject({
  unknownRank: z.boolean().optional(),
  dim: z
    .array(z.looseObject({ size: number.optional() }))
    .max(16)
    .nullish(),
});

const schemas = {
  int: z.looseObject({ i: number }).transform(({ i }) => i),
  float: z.looseObject({ f: number }).transform(({ f }) => f),
  bool: z.looseObject({ b: z.boolean().optional() }).transform(({ b = false }) => b),
  string: z.looseObject({ s: text }).transform(({ s }) => s),
  ints: z
    .looseObject({ list: z.looseObject({ i: z.array(number).max(64).nullish() }) })
    .transform(({ list }) => list.i ?? []),
  strings: z
    .looseObject({ list: z.looseObject({ s: z.array(text).max(64).nullish() }) })
    .transform(({ list }) => list.s ?? []),
  type: z.looseObject({ type }).transform((attribute) => attribute.type),
  shape: z.looseObject({ shape }).transform((attribute) => attribute.shape),
};

/** Readers take the attribute's name and what it is where there is none; the wrong kind is refused. */
export interface NodeAttributes {
  int(name: string, fallback: number): number;
  float(name: string, fallback: number): number;
  bool(name: string, fallback: boolean): boolean;
  /** As written; operators' own words are compared without regard to case. */
  string(name: string, fallback: string): string;
  ints(name: string, fallback: readonly number[]): readonly number[];
  strings(name: string): readonly string[];
  /** As graphs here compute with it: all whole numbers are int64, all floats float32. */
  dtype(name: string, fallback: DType): DType;
  /** -1 where a size is free; undefined where not even the rank is known. */
  shape(name: string): readonly number[] | undefined;
}

/** @param fail refuses the node with a sentence */
export function nodeAttributes(
  raw: Readonly<Record<string, unknown>>,
  fail: (sentence: string) => never,
): NodeAttributes {
  const read = <T>(kind: string, schema: z.ZodType<T>, name: string): T | undefined => {
    if (!Object.hasOwn(raw, name) || raw[name] === null) return undefined;
    const result = schema.safeParse(raw[name]);
    return result.success ? result.data : fail(`expected its attribute ${name} to be ${kind}`);
  };
  const whole = (name: string, value: number) =>
    Number.isSafeInteger(value) ? value : fail(`expected whole numbers in its attribute ${name}`);
  return {
    int: (name, fallback) => whole(name, read('a number', schemas.int, name) ?? fallback),
    float(name, fallback) {
      const value = read('a number', schemas.float, name) ?? fallback;
      return Number.isFinite(value) ? value : fail(`expected its attribute ${name} to be a number`);
    },
    bool: (name, fallback) => read('true or false', schemas.bool, name) ?? fallback,
    string: (name, fallback) => read('text', schemas.string, name) ?? fallback,
    ints: (name, fallback) =>
      (read('numbers', schemas.ints, name) ?? fallback).map((value) => whole(name, value)),
    strings: (name) => read('texts', schemas.strings, name) ?? [],
    dtype(name, fallback) {
      const given = read('a type', schemas.type, name);
      if (given === undefined) return fallback;
      return dtypeOf(given) ?? fail(`expected numbers or truth values, got type ${given}`);
    },
    shape(name) {
      const given = read('a shape', schemas.shape, name);
      if (!given || given.unknownRank) return undefined;
      return (given.dim ?? []).map(({ size = -1 }) => Math.max(whole(name, size), -1));
    },
  };
}

const dtypes: Readonly<Record<string, DType>> = {
  DT_FLOAT: 'float32',
  DT_DOUBLE: 'float32',
  DT_INT32: 'int64',
  DT_UINT8: 'int64',
  DT_INT16: 'int64',
  DT_INT8: 'int64',
  DT_INT64: 'int64',
  DT_BOOL: 'bool',
  DT_HALF: 'float32',
};
/** TensorFlow's numbers of the same types. */
const numbered: Readonly<Record<number, string>> = {
  1: 'DT_FLOAT',
  2: 'DT_DOUBLE',
  3: 'DT_INT32',
  4: 'DT_UINT8',
  5: 'DT_INT16',
  6: 'DT_INT8',
  9: 'DT_INT64',
  10: 'DT_BOOL',
  19: 'DT_HALF',
};

/** A TensorFlow type by name or number, as tfjs and graphs here compute with it. */
export function dtypeOf(type: string | number): DType | undefined {
  const name = typeof type === 'number' ? (numbered[type] ?? '') : type;
  return Object.hasOwn(dtypes, name) ? dtypes[name] : undefined;
}
