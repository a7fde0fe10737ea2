/** Numbers as 8-bit integers: scales and zero points from ranges, and a convolution's weights. Knows no graph. */

/** What an activation's values lie between. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** value = (integer − zeroPoint) · scale, with integers from 0 to 255. */
export interface Scale {
  /** A float32 number. */
  readonly scale: number;
  readonly zeroPoint: number;
}

/**
 * All of the range and zero, which is exact: borders of zeros stay zeros, and what has no negative values has zero
 * point 0, where onnxruntime lets a Relu go.
 */
export function scaleOf(range: Range): Scale {
  const [min, max] = [Math.min(range.min, 0), Math.max(range.max, 0)];
  const scale = Math.fround((max - min) / 255) || 1;
  return { scale, zeroPoint: Math.min(255, Math.max(0, Math.round(-min / scale))) };
}

/** Weights of a convolution by its output channels, symmetric about zero. */
export interface IntegerWeights {
  readonly weights: Int8Array<ArrayBuffer>;
  /** One for each output channel. */
  readonly scales: Float32Array<ArrayBuffer>;
  /** In units of the input's scale times the channel's. */
  readonly bias: Int32Array<ArrayBuffer> | undefined;
}

/**
 * @param weights output channels first
 * @param bias one for each output channel
 * @param largest 127, or 63, with which the products of two neighbours do not pass 16 bits
 */
export function integerWeights(
  weights: Float32Array,
  bias: Float32Array | undefined,
  { channels, inputScale, largest }: { channels: number; inputScale: number; largest: 127 | 63 },
): IntegerWeights {
  const perChannel = weights.length / channels;
  const integers = new Int8Array(weights.length);
  const scales = new Float32Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    const [start, end] = [channel * perChannel, (channel + 1) * perChannel];
    let size = 0;
    for (let i = start; i < end; i++) size = Math.max(size, Math.abs(weights[i] ?? 0));
    // A bias that is large beside its weights must still fit 32 bits.
    const least = Math.abs(bias?.[channel] ?? 0) / inputScale / 2 ** 30;
    const scale = Math.fround(Math.max(size / largest, least)) || 1;
    scales[channel] = scale;
    for (let i = start; i < end; i++) integers[i] = Math.round((weights[i] ?? 0) / scale);
  }
  if (!bias) return { weights: integers, scales, bias: undefined };
  const units = biasScales(scales, inputScale);
  return {
    weights: integers,
    scales,
    bias: Int32Array.from(bias, (value, channel) => Math.round(value / (units[channel] ?? 1))),
  };
}

/** As onnxruntime wants a bias: the input's scale times each channel's. */
export function biasScales(scales: Float32Array, inputScale: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(scales, (scale) => inputScale * scale);
}
