/** What every importer gives, whatever it read: a generator as a graph, and the source itself to hold it against. */
import type { Graph } from '@cyclegan/graph';
import type { GeneratorConfig, Tensor } from '@cyclegan/model';

/** A generator of any origin. */
export interface Imported {
  readonly kind: 'checkpoint' | 'pytorch' | 'tfjs-graph' | 'tfjs-layers' | 'onnx';
  /**
   * One float32 input [N, C, H, W] and one float32 output [N, C', H', W'], in the model's own value range. The
   * caller's own.
   */
  readonly graph: Graph;
  /** The source's own; the graph is NCHW whatever this says. */
  readonly layout: 'NCHW' | 'NHWC';
  /** The values of black and white, where the source's own type says them: 0 and 255 of bytes. */
  readonly range?: readonly [black: number, white: number];
  /** Where the network is one of the reference's, else null. */
  readonly config: GeneratorConfig | null;
  /**
   * Opens the source itself, for comparison: PyTorch files and checkpoints as the network with its weights fed as
   * inputs, tfjs models in tfjs, ONNX files as they are in onnxruntime.
   */
  openReference(): Promise<Reference>;
}

/** A source that runs. Holds memory until disposed of. */
export interface Reference {
  /** For people: `tfjs-converter 4.22.0 on wasm`. */
  readonly what: string;
  /** [N, C, H, W] in and out, whatever the source's layout. */
  run(image: Tensor): Promise<Tensor>;
  dispose(): Promise<void>;
}
