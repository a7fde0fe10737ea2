/**
 * The text of an NVIDIA Triton `config.pbtxt` for one ONNX file: `ModelConfig` of Triton's model_config.proto in
 * protobuf's text format. Writes no files.
 */
import type { DType } from '@cyclegan/graph';
import { CycleganError } from '@cyclegan/runtime-core';

/** One input or output as the file has it. */
export interface TritonTensor {
  readonly name: string;
  readonly dtype: DType;
  /** With its batch axis in front; -1 where a size is free. */
  readonly shape: readonly number[];
}

export interface TritonModel {
  readonly name: string;
  readonly inputs: readonly TritonTensor[];
  readonly outputs: readonly TritonTensor[];
  /** For models that a GPU would only slow down. */
  readonly onCpu: boolean;
  /** Most images of one size in a request and in a batch that Triton gathers. Default 8. */
  readonly maxBatch?: number | undefined;
}

/** The first line, by which a later export knows its own. */
export const TRITON_MARK =
  '# Written by cyclegan export, which replaces this folder while this line is here.';
const DEFAULT_MAX_BATCH = 8;
/** How long a request waits for others of its size: far below what a translation takes, far above a network's jitter. */
const QUEUE_DELAY_MICROSECONDS = 2000;

const dataTypes: Readonly<Record<DType, string>> = {
  float64: 'TYPE_FP64',
  float32: 'TYPE_FP32',
  float16: 'TYPE_FP16',
  int64: 'TYPE_INT64',
  int32: 'TYPE_INT32',
  int8: 'TYPE_INT8',
  uint8: 'TYPE_UINT8',
  bool: 'TYPE_BOOL',
};

/**
 * @returns the file's text. Batches are gathered from requests of equal sizes where the model's batch axis is free
 * @throws CycleganError `usage` for a largest batch below 1
 */
export function tritonConfig(model: TritonModel): string {
  const { name, inputs, outputs, onCpu, maxBatch = DEFAULT_MAX_BATCH } = model;
  if (!Number.isSafeInteger(maxBatch) || maxBatch < 1) {
    throw new CycleganError(
      'usage',
      `[export] triton: expected a largest batch of at least 1, got ${maxBatch}. Leave it out for ${DEFAULT_MAX_BATCH}.`,
    );
  }
  const batched = [...inputs, ...outputs].every(({ shape }) => shape[0] === -1);
  const lines = [
    TRITON_MARK,
    `name: ${quoted(name)}`,
    'backend: "onnxruntime"',
    'default_model_filename: "model.onnx"',
    // With a batch axis the dimensions are those of one image; 0 says that there is none, and they are all of them.
    `max_batch_size: ${batched ? maxBatch : 0}`,
    ...inputs.flatMap((each) => tensorLines('input', each, batched)),
    ...outputs.flatMap((each) => tensorLines('output', each, batched)),
    ...(batched && maxBatch > 1 ? batchingLines(maxBatch) : []),
    // AUTO: on every GPU that the server has, else on the CPU.
    `instance_group { count: 1 kind: ${onCpu ? 'KIND_CPU' : 'KIND_AUTO'} }`,
    'version_policy { latest { num_versions: 1 } }',
  ];
  return `${lines.join('\n')}\n`;
}

function tensorLines(
  field: 'input' | 'output',
  { name, dtype, shape }: TritonTensor,
  batched: boolean,
): string[] {
  const dims = batched ? shape.slice(1) : shape;
  return [
    `${field} {`,
    `  name: ${quoted(name)}`,
    `  data_type: ${dataTypes[dtype]}`,
    `  dims: [ ${dims.join(', ')} ]`,
    '}',
  ];
}

/** Powers of two down from the largest batch. */
function batchingLines(maxBatch: number): string[] {
  const preferred = [maxBatch, Math.floor(maxBatch / 2)].filter((size) => size > 1).reverse();
  return [
    'dynamic_batching {',
    `  preferred_batch_size: [ ${preferred.join(', ')} ]`,
    `  max_queue_delay_microseconds: ${QUEUE_DELAY_MICROSECONDS}`,
    '}',
  ];
}

/** Strings of the text format escape as in C. */
function quoted(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  const escaped = Array.from(bytes, (byte) => {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    return plain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${escaped.join('')}"`;
}
