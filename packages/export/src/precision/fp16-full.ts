/**
 * Arithmetic in half precision. float32 are the graph's inputs and outputs, and what adds up many numbers or squares
 * them: variances of activations pass half precision's 65504.
 */
import { Cast, type Graph, onnxTypes, prune, rebuild, tensor, type Value } from '@cyclegan/graph';
import { clampToHalf } from './clamp.js';
import type { Fp16Report } from './fp16.js';

/** Their results are as wide as their inputs. */
const normalisations = new Set([
  'BatchNormalization',
  'InstanceNormalization',
  'LayerNormalization',
  'LpNormalization',
]);
/** Their results are statistics: few numbers, so that what is computed of those alone costs nothing in float32. */
const reductions = new Set([
  'GlobalAveragePool',
  'ReduceL2',
  'ReduceMean',
  'ReduceProd',
  'ReduceSum',
  'ReduceSumSquare',
]);
/** Squares overflow, and Range has no half precision in ONNX. */
const others = new Set(['Pow', 'Range']);

/** Inputs that are float32 by ONNX's definition: Resize's roi and scales. */
const isFloat32Only = (op: string, i: number) => op === 'Resize' && i > 0;

/** @see toFp16 */
export function arithmeticInHalf(old: Graph): { graph: Graph; report: Fp16Report } {
  const report = { tensors: 0, tooSmall: 0, tooLarge: 0 };
  /** What a value is in the other precision. */
  const twins = new Map<Value, Value>();
  const statistics = new Set<Value>();

  const to = (graph: Graph, dtype: 'float16' | 'float32', value: Value): Value => {
    if (value.dtype === dtype || !isFloat(value)) return value;
    const known = twins.get(value);
    if (known) return known;
    const made =
      dtype === 'float16' && value.constant?.data instanceof Float32Array
        ? halfConstant(graph, value, value.constant.data)
        : cast(graph, dtype, value);
    twins.set(value, made);
    twins.set(made, value);
    return made;
  };
  /** A value that comes from the other precision goes back there as what it was. */
  const keepTwin = (made: Value | undefined, from: Value | undefined): void => {
    if (made && from && isFloat(made) && isFloat(from) && made.dtype !== from.dtype) twins.set(made, from);
  };
  const halfConstant = (graph: Graph, { name, shape }: Value, floats: Float32Array): Value => {
    const { data, tooSmall, tooLarge } = clampToHalf(floats);
    report.tensors++;
    report.tooSmall += tooSmall;
    report.tooLarge += tooLarge;
    return graph.constant(tensor('float16', shape as readonly number[], data), `${name}/half`);
  };
  const cast = (graph: Graph, dtype: 'float16' | 'float32', value: Value): Value => {
    const name = `${value.name}/${dtype}`;
    return graph.ops(Cast, [value], { to: onnxTypes[dtype] }, undefined, name)[0] as Value;
  };

  const graph = rebuild(old, {
    node({ graph, node, inputs, copy }) {
      const { name } = node.op;
      if (name === 'Cast') {
        const made = copy();
        keepTwin(made[0], inputs[0]);
        return made;
      }
      const varying = inputs.filter((value) => value && !value.constant && isFloat(value));
      const ofStatistics = varying.length > 0 && varying.every((value) => value && statistics.has(value));
      const single = ofStatistics || normalisations.has(name) || reductions.has(name) || others.has(name);
      const made = copy({
        inputs: inputs.map(
          (value, i) => value && to(graph, single || isFloat32Only(name, i) ? 'float32' : 'float16', value),
        ),
      });
      if (ofStatistics || reductions.has(name)) for (const value of made) statistics.add(value);
      return made;
    },
    output: (graph, { value }) => to(graph, 'float32', value),
  });
  prune(graph);
  return { graph, report };
}

function isFloat({ dtype }: Value): boolean {
  return dtype === 'float32' || dtype === 'float16';
}
