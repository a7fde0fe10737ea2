/**
 * A tfjs model.json of either kind as a graph from one image to one image. What nodes and layers become is in graph/
 * and layers/.
 */
import type { Tensor } from '@cyclegan/graph';
import { optimize } from '../../optimize.js';
import type { Imported } from '../imported.js';
import { readArtifacts, type TfjsArtifacts } from './artifacts.js';
import { convertGraphModel } from './graph/convert.js';
import { openGraphReference } from './graph/reference.js';
import type { CustomLayer } from './layers/layer-kind.js';
import { layersGraph } from './layers/layers-graph.js';
import { openLayersReference } from './layers/reference.js';

export interface ImportTfjsOptions {
  /** Kinds of layers beside those that are built in, and before them; layers models alone have any. */
  customLayers?: readonly CustomLayer[];
  /** The input that takes the image, where a graph model has several. */
  input?: string;
  /** The output that gives the image, where there are several. */
  output?: string;
  /** What a graph model's other inputs are to be for good, such as a style, by the names of their nodes. */
  fixed?: Readonly<Record<string, Tensor<'float32'>>>;
}

/**
 * Reads a LayersModel or a GraphModel. Free sizes stay free: as N, H and W.
 * @param path its model.json or the folder of that; shards lie beside it
 * @throws CycleganError `bundle` for a model that is damaged, is not from one image to one image, or has operators or
 * layers that cannot be carried over, all of which are named; `usage` where an input or output must be named. GraphError
 * where sizes do not go together.
 */
export async function importTfjs(path: string, options: ImportTfjsOptions = {}): Promise<Imported> {
  const artifacts = await readArtifacts(path);
  return artifacts.kind === 'graph' ? graphModel(artifacts, options) : layersModel(artifacts, options);
}

async function graphModel(artifacts: TfjsArtifacts, options: ImportTfjsOptions): Promise<Imported> {
  const { graph, interface: ends } = convertGraphModel(artifacts, options);
  // The weights that were read are not kept beside the graph's own.
  const { file, json } = artifacts;
  return {
    kind: 'tfjs-graph',
    graph: (await optimize(graph)).graph,
    layout: ends.form.layout,
    config: null,
    openReference: () => openGraphReference({ file, json }, ends),
  };
}

async function layersModel(artifacts: TfjsArtifacts, options: ImportTfjsOptions): Promise<Imported> {
  const { graph, form } = layersGraph(artifacts, options);
  const { file, json } = artifacts;
  return {
    kind: 'tfjs-layers',
    graph: (await optimize(graph)).graph,
    layout: form.layout,
    config: null,
    openReference: () => openLayersReference({ file, json }, { ...options, form }),
  };
}
