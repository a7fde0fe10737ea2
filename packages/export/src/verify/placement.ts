/** Which nodes run where, from the profile that onnxruntime itself writes. Runs nothing. */
import type { ConcreteDevice } from '@cyclegan/runtime-core';
import { z } from 'zod';

/** How often one kind of node ran on one provider, in one run of a model. */
export interface PlacedNodes {
  /** As onnxruntime has it after its optimisations: `QLinearConv`, `ReorderInput`. */
  op: string;
  /** As onnxruntime calls it: `CPUExecutionProvider`. */
  provider: string;
  count: number;
}

const providers: Readonly<Record<ConcreteDevice, string>> = {
  cpu: 'CPUExecutionProvider',
  cuda: 'CUDAExecutionProvider',
  tensorrt: 'TensorrtExecutionProvider',
  webgpu: 'WebGpuExecutionProvider',
  wasm: 'CPUExecutionProvider',
};

/** Where the nodes of one model ran on one device. */
export interface Placement {
  /** `AtoB fp32`. */
  model: string;
  device: ConcreteDevice;
  nodes: PlacedNodes[];
  /** Those of them that ran elsewhere than on the device. */
  fellBack: PlacedNodes[];
}

/** The nodes that ran elsewhere than on the device that was asked for. */
export function fellBack(device: ConcreteDevice, nodes: readonly PlacedNodes[]): PlacedNodes[] {
  return nodes.filter(({ provider }) => provider !== providers[device]);
}

const eventsSchema = z.array(
  z.object({
    cat: z.string(),
    name: z.string(),
    args: z.record(z.string(), z.unknown()).optional(),
  }),
);

/**
 * @param profile the JSON of `session.endProfiling()`
 * @returns the most frequent first; of several runs only one is counted
 * @throws Error for a text that is no such profile
 */
export function placementOf(profile: string): PlacedNodes[] {
  const places = new Map<string, PlacedNodes>();
  const counted = new Set<string>();
  for (const { cat, name, args = {} } of eventsSchema.parse(JSON.parse(profile))) {
    const { op_name: op, provider, node_index: index } = args;
    if (cat !== 'Node' || !name.endsWith('_kernel_time') || typeof op !== 'string') continue;
    const node = `${index} ${name}`;
    if (counted.has(node)) continue;
    counted.add(node);
    const key = `${provider} ${op}`;
    const place = places.get(key) ?? { op, provider: String(provider), count: 0 };
    place.count += 1;
    places.set(key, place);
  }
  return [...places.values()].sort((one, other) => other.count - one.count || one.op.localeCompare(other.op));
}
