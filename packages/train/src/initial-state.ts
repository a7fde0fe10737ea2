/** The state that a run begins with, the same for every engine. */
import { initialWeights } from '@cyclegan/model/networks';
import type { EngineOptions, EngineState, GroupState } from './engine.js';
import { type Group, groupBuffers, groupParameters } from './step/step-graph.js';

/** Weights drawn by `init` from the seed, moments of zero, empty pools. */
export function initialState({
  networks,
  seed,
  init,
}: Pick<EngineOptions, 'networks' | 'seed' | 'init'>): EngineState {
  const group = (name: Group, salt: number): GroupState => {
    const parameters = initialWeights(groupParameters(networks, name), seed * 2 + salt, init);
    return {
      parameters,
      m: new Float32Array(parameters.length),
      v: new Float32Array(parameters.length),
      buffers: initialWeights(groupBuffers(networks, name), 0, init),
    };
  };
  return {
    updates: 0,
    groups: { G: group('G', 0), D: group('D', 1) },
    pools: { A: new Float32Array(), B: new Float32Array() },
  };
}
