/** What an engine needs of onnxruntime: one device of one of its packages. Knows neither Node nor the browser. */
import type { Graph } from '@cyclegan/graph';
import type { Tensor, TensorConstructor } from 'onnxruntime-common';

/** Tensors by name. */
export type Tensors = Record<string, Tensor>;

/** A graph that can be run. */
export interface DeviceSession {
  /**
   * @param into tensors on the host, by output, to be written and given back, where the runtime fills any; other
   * outputs get tensors of their own
   * @throws CycleganError `device` when the provider fails
   */
  run(feeds: Tensors, into?: Tensors): Promise<Tensors>;
  release(): Promise<void>;
}

export interface OpenOptions {
  /** What the graph is for, in a message: `training step`. */
  what: string;
  /** Outputs, by name, that stay in the device's memory, where it keeps any. */
  keep?: ((output: string) => boolean) | undefined;
  /** Nobody is told that it takes a while. */
  quiet?: boolean | undefined;
}

export interface OrtRuntime {
  /** The package's own class. */
  readonly Tensor: TensorConstructor;
  /** Whether outputs can stay in the device's memory, to be given back as inputs. */
  readonly keepsOutputs: boolean;
  /** Whether a run writes outputs into tensors of the host that it is given. */
  readonly fillsOutputs: boolean;
  /**
   * Opens a session; may hold up the thread, on a GPU for seconds.
   * @param graph the session's from then on: it is fitted to the device
   * @throws CycleganError `device` when the device is not there or cannot take the graph
   */
  open(graph: Graph, options: OpenOptions): Promise<DeviceSession>;
}
