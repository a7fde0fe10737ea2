/** Dead code as a pass of its own: {@link prune} on a copy, since passes change no graph. */
import { rebuild } from '../rebuild.js';
import type { Pass } from './pass.js';
import { prune } from './prune.js';

/** Drops the nodes that no output depends on. The inputs stay: they are the interface. */
export const deadCode: Pass = {
  name: 'dead code',
  apply(graph) {
    const copy = rebuild(graph);
    return prune(copy) > 0 ? copy : graph;
  },
};
