/**
 * A model repository for NVIDIA Triton: for each ONNX file of a bundle a folder with `config.pbtxt` and
 * `1/model.onnx`. Knows a file's interface by the file itself.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readOnnx, type Value } from '@cyclegan/graph';
import type { Manifest } from '@cyclegan/runtime-core';
import { type FolderKind, replaceFolder } from '../bundle/bundle-folder.js';
import { TRITON_MARK, type TritonTensor, tritonConfig } from './triton-config.js';

export interface TritonOptions {
  /** The bundle's folder. */
  readonly bundle: string;
  readonly manifest: Pick<Manifest, 'name' | 'models' | 'variants'>;
  /** The model repository; may hold other models, which stay. Made where missing. */
  readonly repository: string;
  /** Most images in a batch; default 8. */
  readonly maxBatch?: number | undefined;
}

/**
 * Writes the models and variants of a bundle as Triton models named `<bundle>_<file without .onnx>`, what is no letter,
 * digit, `-` or `_` in that becoming `_`. One of an earlier export is replaced.
 * @returns the models' folders
 * @throws CycleganError `output` for a folder of that name that is no earlier export's, or a place that cannot be
 * written; `usage` as {@link tritonConfig}
 */
export async function writeTriton(options: TritonOptions): Promise<string[]> {
  const { bundle, manifest, repository, maxBatch } = options;
  const folders: string[] = [];
  for (const { file, precision } of [...manifest.models, ...manifest.variants]) {
    const name = `${manifest.name}_${file.replace(/\.onnx$/, '')}`.replaceAll(/[^A-Za-z0-9_-]/g, '_');
    const bytes = await readFile(join(bundle, file));
    const { graph } = readOnnx(bytes);
    const config = tritonConfig({
      name,
      inputs: graph.inputs.map((value) => tensorOf(value.name, value)),
      outputs: graph.outputs.map((output) => tensorOf(output.name, output.value)),
      // onnxruntime's CUDA provider has no convolution in 8 bits.
      onCpu: precision === 'int8',
      maxBatch,
    });
    const folder = join(repository, name);
    await replaceFolder(folder, earlier, async (beside) => {
      await mkdir(join(beside, '1'));
      await writeFile(join(beside, '1', 'model.onnx'), bytes, { flush: true });
      await writeFile(join(beside, 'config.pbtxt'), config, { flush: true });
    });
    folders.push(folder);
  }
  return folders;
}

function tensorOf(name: string, { dtype, shape }: Value): TritonTensor {
  return { name, dtype, shape: shape.map((dim) => (typeof dim === 'number' ? dim : -1)) };
}

const earlier: FolderKind = { kind: 'a Triton model of an earlier export', refusal };

/** Whoever adds versions or labels to a model, or takes the first line out, has made it theirs. */
async function refusal(folder: string, names: readonly string[]): Promise<string | undefined> {
  const foreign = names.find((name) => name !== 'config.pbtxt' && name !== '1');
  if (foreign !== undefined) return `a folder that holds ${foreign}`;
  const config = await readFile(join(folder, 'config.pbtxt'), 'utf8').catch(() => '');
  return config.startsWith(TRITON_MARK) ? undefined : 'a Triton model of someone else';
}
