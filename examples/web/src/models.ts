/** The bundle's translators, one a direction, each opened when it is first wanted and kept. */
import { type Manifest, parseManifest } from '@cyclegan/runtime-core';
import { createTranslator, type Direction, type Progress, type WebTranslator } from '@cyclegan/runtime-web';

export interface Models {
  /** @throws CycleganError as createTranslator does; the next call tries again */
  get(direction: Direction): Promise<WebTranslator>;
}

export function createModels(bundle: string, onProgress: (progress: Progress) => void): Models {
  const opened = new Map<Direction, Promise<WebTranslator>>();
  return {
    get(direction) {
      let translator = opened.get(direction);
      if (!translator) {
        translator = createTranslator(bundle, { direction, onProgress });
        opened.set(direction, translator);
        translator.catch(() => opened.delete(direction));
      }
      return translator;
    },
  };
}

/** The bundle's manifest; undefined when there is no bundle, which a newcomer's page says first of all. */
export async function loadManifest(bundle: string): Promise<Manifest | undefined> {
  const url = `${bundle}manifest.json`;
  const response = await fetch(url);
  return response.status === 404 ? undefined : parseManifest(await response.json(), url);
}
