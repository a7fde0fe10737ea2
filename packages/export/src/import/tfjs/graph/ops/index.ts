/** Every TensorFlow operator that can be carried over, by its name. Constants and inputs are made by the converter. */
import type { Converter } from '../call.js';
import { activations } from './activation.js';
import { arithmetic } from './arithmetic.js';
import { convolutions } from './convolution.js';
import { images } from './image.js';
import { products } from './linear.js';
import { logic } from './logic.js';
import { normalizations } from './normalization.js';
import { pooling } from './pooling.js';
import { reductions } from './reduction.js';
import { shapes } from './shape.js';
import { slices } from './slicing.js';

const passing: Converter = ({ input }) => input(0);

/** They do nothing outside of training. */
const passed = ['EnsureShape', 'Identity', 'PlaceholderWithDefault', 'Snapshot', 'StopGradient'];

const converters = new Map<string, Converter>(
  Object.entries({
    ...activations,
    ...arithmetic,
    ...convolutions,
    ...images,
    ...products,
    ...logic,
    ...normalizations,
    ...pooling,
    ...reductions,
    ...shapes,
    ...slices,
    ...Object.fromEntries(passed.map((op) => [op, passing])),
    IdentityN: ({ inputs }) => inputs,
  } satisfies Record<string, Converter>),
);

export function converterOf(op: string): Converter | undefined {
  return converters.get(op);
}
