/** Which of a GraphModel's nodes are its image input and its image output. Builds nothing. */
import type { Tensor } from '@cyclegan/graph';
import { CycleganError } from '@cyclegan/runtime-core';
import { z } from 'zod';
import type { ImageForm } from '../image-interface.js';
import { imageForm } from '../image-interface.js';
import { type ModelJson, refuseModel } from '../model-json.js';
import { dtypeOf, nodeAttributes } from './attributes.js';
import { type Edge, edgeOf, orderTo, type TfNode, type Topology } from './topology.js';

const tensorSchema = z.looseObject({
  name: z.string(),
  dtype: z.union([z.string(), z.number()]).optional(),
  tensorShape: z.unknown().optional(),
});
const tensorsSchema = z.record(z.string(), tensorSchema).nullish();
const signatureSchema = z.looseObject({ inputs: tensorsSchema, outputs: tensorsSchema }).nullish();

const metadataSchema = z.looseObject({ signature: z.unknown().optional() }).nullish();

type Signature = z.infer<typeof signatureSchema>;

/** An input or output that can be chosen. */
interface Choice {
  /** By the signature, by tensor and by node: any of them chooses. */
  names: readonly string[];
  edge: Edge;
  /** The signature's word on its sizes. */
  tensor?: z.infer<typeof tensorSchema>;
}

export interface InterfaceOptions {
  /** The image input's name, where there are several. */
  input?: string | undefined;
  /** The image output's name, where there are several. */
  output?: string | undefined;
  /** What other inputs are to be for good, such as a style, by the names of their nodes. */
  fixed?: Readonly<Record<string, Tensor<'float32'>>> | undefined;
}

export interface GraphInterface {
  readonly input: string;
  readonly form: ImageForm;
  readonly output: Edge;
  /** By node. */
  readonly fixed: ReadonlyMap<string, Tensor<'float32'>>;
  /** All that the output needs, in order. */
  readonly order: readonly TfNode[];
}

/**
 * @throws CycleganError `usage` where a choice is needed or does not exist, `bundle` for a model that is not from one
 * image to one image
 */
export function graphInterface(
  file: string,
  json: ModelJson,
  topology: Topology,
  options: InterfaceOptions,
): GraphInterface {
  const signature = signatureOf(json);
  const output = choose(file, 'output', outputsOf(topology, signature.outputs), options.output);
  const inputs = inputsOf(topology, signature.inputs);
  const fixed = new Map(Object.entries(options.fixed ?? {}));
  const reached = new Set(orderTo(file, topology, output.edge.node, () => false).map(({ name }) => name));
  const read = inputs.filter(({ edge }) => reached.has(edge.node) && !fixed.has(edge.node));
  const input = choose(file, 'input', read, options.input);
  const isSource = ({ name }: TfNode) => name === input.edge.node || fixed.has(name);
  const order = orderTo(file, topology, output.edge.node, isSource);
  const others = order.filter((node) => node.op === 'Placeholder' && !isSource(node));
  if (others.length > 0) {
    refuseModel(
      file,
      `expected one input, got also ${listed(others.map(({ name }) => name))}. Fix what they are to be, or take a model from image to image.`,
    );
  }
  return { input: input.edge.node, form: formOf(file, topology, input), output: output.edge, fixed, order };
}

/** Older converters kept it with what users add. As in tfjs, that comes first. */
function signatureOf({ signature, userDefinedMetadata }: ModelJson): NonNullable<Signature> {
  const metadata = metadataSchema.safeParse(userDefinedMetadata);
  const older = metadata.success ? metadata.data?.signature : undefined;
  const parsed = signatureSchema.safeParse(older ?? signature);
  return parsed.success ? (parsed.data ?? {}) : {};
}

function formOf(file: string, topology: Topology, { edge, tensor }: Choice): ImageForm {
  const node = topology.get(edge.node);
  const fail = (sentence: string) =>
    refuseModel(file, `input "${edge.node}": ${sentence}. Convert the model again.`);
  const attributes = nodeAttributes(node?.attributes ?? {}, fail);
  const signed = nodeAttributes({ shape: { shape: tensor?.tensorShape ?? { unknownRank: true } } }, fail);
  const dtype = attributes.dtype('dtype', dtypeOf(tensor?.dtype ?? 'DT_FLOAT') ?? 'float32');
  const shape = attributes.shape('shape');
  const known = shape && shape.length > 0 ? shape : signed.shape('shape');
  const form = imageForm(known, dtype);
  return form ?? fail(`expected an image of 3 or 4 axes, got sizes [${known?.join(', ')}]`);
}

function inputsOf(topology: Topology, signed: z.infer<typeof tensorsSchema>): Choice[] {
  const named = choicesOf(topology, signed);
  if (named.length > 0) return named;
  return Array.from(topology.values())
    .filter(({ op }) => op === 'Placeholder')
    .map(({ name }) => ({ names: [name], edge: { node: name, index: 0 } }));
}

function outputsOf(topology: Topology, signed: z.infer<typeof tensorsSchema>): Choice[] {
  const named = choicesOf(topology, signed);
  if (named.length > 0) return named;
  const nodes = Array.from(topology.values());
  const read = new Set(nodes.flatMap(({ inputs }) => inputs.map(({ node }) => node)));
  return nodes
    .filter(({ name, op }) => !read.has(name) && op !== 'Const' && op !== 'NoOp' && op !== 'Placeholder')
    .map(({ name }) => ({ names: [name], edge: { node: name, index: 0 } }));
}

function choicesOf(topology: Topology, signed: z.infer<typeof tensorsSchema>): Choice[] {
  return Object.entries(signed ?? {}).flatMap(([key, tensor]) => {
    const edge = edgeOf(tensor.name);
    return topology.has(edge.node) ? [{ names: [key, tensor.name, edge.node], edge, tensor }] : [];
  });
}

function choose(
  file: string,
  what: 'input' | 'output',
  choices: readonly Choice[],
  wanted: string | undefined,
): Choice {
  const named = wanted === undefined ? choices : choices.filter(({ names }) => names.includes(wanted));
  const [choice, ...others] = named;
  if (choice && others.length === 0) return choice;
  const all = listed(choices.map(({ names }) => names[0] ?? ''));
  if (choices.length === 0) {
    return refuseModel(file, `expected an ${what}, got none. Take a model from image to image.`);
  }
  const got = wanted === undefined ? all : `"${wanted}", where there are ${all}`;
  throw new CycleganError(
    'usage',
    `[export] ${file}: expected the name of one ${what}, got ${got}. Name one of them as the ${what}.`,
  );
}

/** Names in one line, not all of very many. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).map((name) => `"${name.slice(0, 200)}"`);
  return [...shown, ...(names.length > 20 ? [`${names.length - 20} more`] : [])].join(', ');
}
