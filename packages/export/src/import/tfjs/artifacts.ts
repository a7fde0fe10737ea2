/** A tfjs model as read from its folder: topology and weights. Knows no operators and no layers. */
import { type ModelJson, readModelJson, type TfjsKind } from './model-json.js';
import { decodeWeights, readGroups, type Weight } from './weights.js';

export interface TfjsArtifacts {
  /** The model.json; its folder holds the shards. */
  readonly file: string;
  readonly kind: TfjsKind;
  readonly json: ModelJson;
  /** By name, quantised ones as float32; the caller's own. */
  readonly weights: ReadonlyMap<string, Weight>;
}

/**
 * Reads a model.json and the shards beside it.
 * @param path the file or its folder
 * @throws CycleganError `bundle` for anything missing, damaged or outside the folder
 */
export async function readArtifacts(path: string): Promise<TfjsArtifacts> {
  const { file, json, kind } = await readModelJson(path);
  return { file, kind, json, weights: decodeWeights(file, json, await readGroups(file, json)) };
}
