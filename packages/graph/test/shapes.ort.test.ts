/** Shape inference of every operator against the shapes that onnxruntime returns. */
import * as operators from '@cyclegan/graph';
import { Conv, ConvTranspose, MaxPool, Resize, Slice } from '@cyclegan/graph';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { exported } from './shapes/exported.ts';
import { type Case, expectAgreement, expectSameShapes, zeros } from './shapes/run.ts';
import { sized } from './shapes/sized.ts';
import { trained } from './shapes/trained.ts';

const cases = { ...trained, ...exported, ...sized };

describe('the shapes that onnxruntime returns', () => {
  it.each(Object.entries(cases))('%s', (_, definition) => expectSameShapes(definition));

  test('the tables have every operator', () => {
    const all = Object.values(operators).flatMap((value) =>
      typeof value === 'object' && 'infer' in value ? [value.name] : [],
    );
    const named = new Set(Object.keys(cases).map((name) => name.split(/[ ,]/)[0]));
    expect(all.length).toBeGreaterThan(90);
    expect(all.filter((name) => !named.has(name))).toEqual([]);
  });
});

describe('any attributes', () => {
  const int = (min: number, max: number) => fc.integer({ min, max });
  const properties: Record<string, fc.Arbitrary<Case>> = {
    Slice: fc
      .record({
        size: int(1, 6),
        start: int(-8, 8),
        end: int(-8, 8),
        step: int(-3, 3).filter((n) => n !== 0),
      })
      .map(({ size, start, end, step }) => ({
        build: (g, [x]) => g.op(Slice, [x, g.ints([start]), g.ints([end]), g.ints([1]), g.ints([step])]),
        shapes: [[2, size]],
      })),
    Resize: fc
      .record({ size: int(1, 40), scale: fc.float({ min: Math.fround(0.1), max: 4, noNaN: true }) })
      .map(({ size, scale }) => ({
        build: (g, [x]) => g.op(Resize, [x, undefined, g.float([1, 1, scale, 1])]),
        shapes: [[1, 1, size, 3]],
      })),
    MaxPool: fc
      .record({
        size: int(1, 9),
        kernel: int(1, 4),
        stride: int(1, 4),
        pads: fc.tuple(int(0, 3), int(0, 3)),
        dilation: int(1, 2),
        ceil: int(0, 1),
      })
      // onnxruntime refuses pads as wide as the kernel.
      .filter(({ kernel, pads }) => Math.max(...pads) < kernel)
      .map(({ size, kernel, stride, pads: [before, after], dilation, ceil }) => ({
        build: (g, [x]) =>
          g.op(MaxPool, [x], {
            kernel_shape: [kernel, 2],
            strides: [stride, 1],
            pads: [before, 0, after, 0],
            dilations: [dilation, 1],
            ceil_mode: ceil,
          }),
        shapes: [[1, 1, size, 5]],
      })),
    ConvTranspose: fc
      .record({
        size: int(1, 6),
        kernel: int(1, 4),
        stride: int(1, 3),
        dilation: int(1, 2),
        pad: fc.constantFrom('NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'),
      })
      // onnxruntime gives another size where SAME would have to crop less than nothing.
      .filter(
        ({ kernel, stride, dilation, pad }) =>
          !pad.startsWith('SAME') || (kernel - 1) * dilation + 1 >= stride,
      )
      .map(({ size, kernel, stride, dilation, pad }) => ({
        build: (g, [x]) =>
          g.op(ConvTranspose, [x, zeros(g, [1, 1, kernel, 2])], {
            strides: [stride, 1],
            dilations: [dilation, 1],
            auto_pad: pad,
          }),
        shapes: [[1, 1, size, 5]],
      })),
    Conv: fc
      .record({
        size: int(1, 9),
        kernel: int(1, 4),
        stride: int(1, 3),
        pads: fc.array(int(0, 3), { minLength: 4, maxLength: 4 }),
        dilation: int(1, 2),
      })
      .map(({ size, kernel, stride, pads, dilation }) => ({
        build: (g, [x]) =>
          g.op(Conv, [x, zeros(g, [1, 1, kernel, 2])], {
            strides: [stride, 1],
            pads,
            dilations: [dilation, 1],
          }),
        shapes: [[1, 1, size, 5]],
      })),
  };

  it.each(Object.entries(properties))('of %s', async (_, arbitrary) => {
    const seen = { same: 0, refused: 0 };
    const count = async (definition: Case) => {
      seen[await expectAgreement(definition)]++;
    };
    await fc.assert(fc.asyncProperty(arbitrary, count), { seed: 1, numRuns: 100 });
    expect(seen.same).toBeGreaterThan(50);
  });
});
