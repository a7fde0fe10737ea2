/** Resize and Upsample of all opsets: how an output pixel finds its place in the input was not always said. */
import { knownElements } from '../../elements.js';
import type { Value } from '../../graph.js';
import { GridSample, Resize } from '../../ops/index.js';
import { attributeOf, type FileNode, type Form, forAllAxes, without } from './form.js';

/**
 * Upsample, and Resize of opset 10: an input pixel's left edge stays where it is. The nearest pixel was that below when
 * enlarging, and that above when reducing.
 */
function fromLeftEdge(node: FileNode, scales: Value | undefined, nearest: 'floor' | 'ceil') {
  return {
    op: Resize,
    inputs: [node.inputs[0], undefined, scales],
    attributes: {
      ...(without(node, 'scales') as { mode?: string }),
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: nearest,
    },
  };
}

function resize10(node: FileNode) {
  const scales = knownElements(node.inputs[1]) ?? node.fail('expected constant scales');
  const factors = scales.filter((scale) => typeof scale === 'number');
  const [enlarges, reduces] = [factors.some((scale) => scale > 1), factors.some((scale) => scale < 1)];
  const linear = attributeOf(node, 'mode', 'string') === 'linear';
  if (!linear && (factors.length < scales.length || (enlarges && reduces))) {
    node.fail('expected constant scales that all enlarge or all reduce');
  }
  return fromLeftEdge(node, node.inputs[1], reduces ? 'ceil' : 'floor');
}

const upsample: Form = {
  attributes: { scales: 'floats', mode: 'string' },
  bring: (node) => {
    const scales = attributeOf(node, 'scales', 'floats');
    return fromLeftEdge(node, scales ? node.graph.float(scales) : node.inputs[1], 'floor');
  },
};

/** Attributes of opset 18 and later. */
const later = { antialias: 'int', axes: 'ints', keep_aspect_ratio_policy: 'string' } as const;

const resize: Form = {
  attributes: later,
  bring: (node) => {
    if (node.opset < 11) return resize10(node);
    const policy = attributeOf(node, 'keep_aspect_ratio_policy', 'string') ?? 'stretch';
    if (attributeOf(node, 'antialias', 'int')) node.fail('expected no antialias');
    const [x, roi, scales, sizes] = node.inputs;
    if (policy !== 'stretch' && sizes) node.fail(`expected keep_aspect_ratio_policy stretch, got ${policy}`);
    const axes = attributeOf(node, 'axes', 'ints');
    const all = (list: Value | undefined, blank: Value | undefined) => {
      const empty = !list || knownElements(list)?.length === 0;
      return empty || !axes || !x ? list : forAllAxes(node, list, axes, x, blank);
    };
    const inputs = [x, roi, all(scales, node.graph.float([1])), all(sizes, undefined)];
    return {
      op: Resize,
      inputs: sizes ? inputs : inputs.slice(0, 3),
      attributes: { ...without(node, ...Object.keys(later)), ...withoutHalfPixelForNearest(node) },
    };
  },
};

/** A mode of opset 11 alone, which for the nearest pixel below is another name of one that is left. */
function withoutHalfPixelForNearest(node: FileNode) {
  if (attributeOf(node, 'coordinate_transformation_mode', 'string') !== 'tf_half_pixel_for_nn') return {};
  if (attributeOf(node, 'nearest_mode', 'string') !== 'floor') {
    node.fail('expected tf_half_pixel_for_nn with nearest_mode floor');
  }
  return { coordinate_transformation_mode: 'half_pixel', nearest_mode: 'round_prefer_ceil' };
}

/** The modes have other names from opset 20 on. */
const gridSample: Form = {
  bring: (node) => {
    const names: Record<string, string> = { linear: 'bilinear', cubic: 'bicubic' };
    const mode = attributeOf(node, 'mode', 'string') ?? 'bilinear';
    const attributes = { ...without(node, 'mode'), mode: names[mode] ?? mode };
    return { op: GridSample, inputs: node.inputs, attributes };
  },
};

export const resizeForms: Readonly<Record<string, Form>> = {
  GridSample: gridSample,
  Resize: resize,
  Upsample: upsample,
};
