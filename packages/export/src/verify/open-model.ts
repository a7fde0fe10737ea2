/** A bundle's model file, held against its entry in the manifest before anything is run. */
import { join } from 'node:path';
import { type OnnxModel, readOnnx } from '@cyclegan/graph';
import type { ModelEntry } from '@cyclegan/runtime-core';
import { readModel } from '@cyclegan/runtime-node';

export interface OpenedModel {
  bytes: Uint8Array;
  onnx: OnnxModel;
}

/**
 * Reads a model file whose size, hash, versions, names and channels are those of the manifest.
 * @throws Error of any kind, saying in one sentence what is different
 */
export async function openModel(bundle: string, entry: ModelEntry): Promise<OpenedModel> {
  const path = join(bundle, entry.file);
  const bytes = await readModel(entry, path);
  const onnx = readOnnx(bytes);
  const [input, ...moreInputs] = onnx.graph.inputs;
  const [output, ...moreOutputs] = onnx.graph.outputs;
  if (moreInputs.length > 0 || moreOutputs.length > 0) {
    throw new Error(`${path}: expected one input and one output`);
  }
  const facts: [string, unknown, unknown][] = [
    ['opset', entry.opset, onnx.opset],
    ['IR version', entry.irVersion, onnx.irVersion],
    ['input', entry.input.name, input?.name],
    ['input channels', entry.input.channels, input?.shape[1]],
    ['output', entry.output.name, output?.name],
    ['output channels', entry.output.channels, output?.value.shape[1]],
  ];
  for (const [what, expected, got] of facts) {
    if (got !== expected) {
      throw new Error(`${path}: expected ${what} ${expected} as in the manifest, got ${got}`);
    }
  }
  return { bytes, onnx };
}
