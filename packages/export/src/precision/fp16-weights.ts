/** Weights as halves behind a Cast, which runtimes fold when they load the model. Changes no arithmetic. */
import { Cast, type Graph, onnxTypes, rebuild, tensor, type Value } from '@cyclegan/graph';
import { clampToHalf } from './clamp.js';
import type { Fp16Report } from './fp16.js';

/** Tensors of fewer elements stay as they are: biases and statistics, which take no room. */
const FEWEST = 1024;

/** @see toFp16 */
export function weightsInHalf(old: Graph): { graph: Graph; report: Fp16Report } {
  const report = { tensors: 0, tooSmall: 0, tooLarge: 0 };
  const halved = new Map<Value, Value>();
  const half = (graph: Graph, value: Value): Value => {
    const known = halved.get(value);
    if (known) return known;
    const { constant, name } = value;
    if (!(constant?.data instanceof Float32Array) || constant.data.length < FEWEST) return value;
    const { data, tooSmall, tooLarge } = clampToHalf(constant.data);
    let made = value;
    if (tooLarge > 0) {
      report.tooLarge += tooLarge;
    } else {
      const weights = graph.constant(tensor('float16', constant.shape, data), `${name}/half`);
      [made = value] = graph.ops(Cast, [weights], { to: onnxTypes.float32 }, undefined, `${name}/Cast`);
      report.tensors++;
      report.tooSmall += tooSmall;
    }
    halved.set(value, made);
    return made;
  };
  const graph = rebuild(old, {
    node: ({ graph, inputs, copy }) => copy({ inputs: inputs.map((value) => value && half(graph, value)) }),
  });
  return { graph, report };
}
