/** The original ONNX file in onnxruntime, behind float32 [N, C, H, W] at both ends. Nothing of the imported graph. */
import { type Tensor as TypedTensor, tensor } from '@cyclegan/graph';
import type { Tensor } from '@cyclegan/model';
import { env } from 'onnxruntime-node';
import { floatToHalf, halfToFloat } from '../../half.js';
import { toChannelsFirst, toChannelsLast } from '../../ort/planes.js';
import { openCpuSession } from '../../ort/session.js';
import type { Reference } from '../imported.js';
import type { ImageEnd } from './image-ends.js';

/**
 * @param source the path or the bytes that were imported
 * @throws what onnxruntime throws for a file that it cannot run
 */
export async function openOnnxReference(
  source: string | Uint8Array,
  { input, output }: { input: ImageEnd; output: ImageEnd },
): Promise<Reference> {
  const session = await openCpuSession(source, 'disabled');
  return {
    what: `the ONNX file in onnxruntime ${env.versions.node ?? env.versions.common}`,
    async run(image) {
      const outputs = await session.run(new Map([[input.name, fromPlanes(image, input)]]));
      const answer = outputs.get(output.name);
      if (!answer) throw new Error(`internal: onnxruntime gave no output "${output.name}"`);
      return toPlanes(answer, output);
    },
    dispose: () => session.dispose(),
  };
}

function fromPlanes({ shape, data }: Tensor, { layout, dtype }: ImageEnd): TypedTensor {
  const moved = layout === 'NCHW' ? { shape, data } : toChannelsLast({ shape, data });
  const floats = Float32Array.from(moved.data);
  if (dtype === 'float16') return tensor('float16', moved.shape, floatToHalf(floats));
  if (dtype === 'float32') return tensor('float32', moved.shape, floats);
  // Halves go to the even number, as in ONNX's Round.
  const bytes = Uint8Array.from(floats, (value) => {
    const near = Math.round(value);
    const even = near - value === 0.5 && near % 2 !== 0 ? near - 1 : near;
    return Math.min(255, Math.max(0, even));
  });
  return tensor('uint8', moved.shape, bytes);
}

function toPlanes({ shape, dtype, data }: TypedTensor, { layout }: ImageEnd): Tensor {
  const floats =
    dtype === 'float16'
      ? halfToFloat(data as Uint16Array)
      : Float32Array.from(data as Float32Array | Uint8Array);
  return layout === 'NCHW' ? { shape, data: floats } : toChannelsFirst({ shape, data: floats });
}
