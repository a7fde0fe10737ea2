/** A bundle's manifest from what was made of each direction. Makes none of it. */
import { type GeneratorConfig, reversed } from '@cyclegan/model/networks';
import { MANIFEST_VERSION, type Manifest, type ModelEntry, type VariantEntry } from '@cyclegan/runtime-core';
import { TOOL, TOOL_VERSION } from '../version.js';

/** A direction's files as the manifest names them. */
export interface ExportedEntries {
  readonly models: readonly ModelEntry[];
  readonly variants: readonly VariantEntry[];
  /** The network's own; null for foreign ones. */
  readonly config: GeneratorConfig | null;
}

export interface ManifestFacts extends Pick<Manifest, 'name' | 'licence' | 'provenance' | 'training'> {
  readonly exported: readonly ExportedEntries[];
}

/** @returns the manifest, made now */
export function makeManifest({ exported, ...facts }: ManifestFacts): Manifest {
  const { name, licence, provenance, training } = facts;
  const [first] = exported;
  const config = first?.config ?? null;
  return {
    format: 'cyclegan-bundle',
    version: MANIFEST_VERSION,
    name,
    licence,
    createdBy: { tool: TOOL, version: TOOL_VERSION },
    createdAt: new Date().toISOString(),
    // Always that from A to B.
    networks: { generator: config && first?.models[0]?.direction === 'BtoA' ? reversed(config) : config },
    provenance,
    training,
    models: exported.flatMap(({ models }) => models),
    variants: exported.flatMap(({ variants }) => variants),
  };
}
