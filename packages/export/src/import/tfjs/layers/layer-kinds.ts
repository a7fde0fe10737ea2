/** Every kind of layer that is known, by class name, and which layers of a model are of none. */
import { refuseModel } from '../model-json.js';
import { customLayers as builtIn } from './custom-layers.js';
import type { KerasModel } from './keras-model.js';
import { activations } from './kinds/activations.js';
import { convolutions } from './kinds/convolutions.js';
import { merges } from './kinds/merges.js';
import { normalizations } from './kinds/normalizations.js';
import { sampling } from './kinds/sampling.js';
import { shapes } from './kinds/shapes.js';
import { LayerConfig } from './layer-config.js';
import type { CustomLayer } from './layer-kind.js';

export type LayerKinds = ReadonlyMap<string, CustomLayer>;

/** @param own the caller's; they come before what is built in */
export function layerKinds(own: readonly CustomLayer[] = []): LayerKinds {
  const all = [
    ...convolutions,
    ...activations,
    ...normalizations,
    ...sampling,
    ...shapes,
    ...merges,
    ...builtIn,
    ...own,
  ];
  return new Map(all.map((kind) => [kind.className, kind]));
}

/** How many layers a message names. */
const MAX_NAMED = 50;

/**
 * Holds all layers of a model, and of the models inside it, against the kinds.
 * @throws CycleganError `bundle` that names every layer that cannot be carried over, and why
 */
export function checkLayers(file: string, model: KerasModel, kinds: LayerKinds): void {
  const refused = refusals(file, model, kinds);
  if (refused.length === 0) return;
  const named = refused.slice(0, MAX_NAMED).join('; ');
  const rest = refused.length > MAX_NAMED ? `; and ${refused.length - MAX_NAMED} more` : '';
  refuseModel(
    file,
    `expected layers that can be carried over, got ${named}${rest}. Give their kinds as customLayers.`,
  );
}

function refusals(file: string, model: KerasModel, kinds: LayerKinds): string[] {
  return Array.from(model.layers.values()).flatMap((layer) => {
    if (layer.model) return refusals(file, layer.model, kinds);
    if (layer.className === 'InputLayer') return [];
    const title = `${layer.className} ${layer.name}`.slice(0, 200);
    const kind = kinds.get(layer.className);
    if (!kind) return [title];
    const reason = kind.refuse?.(new LayerConfig(file, title, layer.config));
    return reason === undefined ? [] : [`${title} (${reason})`];
  });
}
