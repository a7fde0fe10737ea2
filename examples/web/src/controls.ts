/** The form beside the picture: direction and longest side. The form itself is the state; this fills and reads it. */
import type { Manifest } from '@cyclegan/runtime-core';
import type { Direction } from '@cyclegan/runtime-web';
import { find } from './dom.js';

export interface Controls {
  direction(): Direction;
  /** In pixels; infinite for the picture's own size. */
  longestSide(): number;
  setDirection(direction: Direction): void;
}

/**
 * @param manifest says which directions there are, and the size that the model was trained at
 * @param domains what to call A and B
 * @param onChange called when the user chose otherwise
 */
export function createControls(
  form: HTMLFormElement,
  { manifest, domains, onChange }: { manifest: Manifest; domains: [string, string]; onChange(): void },
): Controls {
  const [a, b] = domains;
  const radio = (direction: Direction) => find(`input[value=${direction}]`, HTMLInputElement, form);
  for (const [direction, words] of [
    ['AtoB', `${a} → ${b}`],
    ['BtoA', `${b} → ${a}`],
  ] as const) {
    const input = radio(direction);
    input.disabled = !manifest.models.some((model) => model.direction === direction);
    input.checked = !input.disabled && !form.querySelector('[name=direction]:checked:enabled');
    if (input.nextElementSibling) input.nextElementSibling.textContent = words;
  }

  const trained = manifest.training?.size ?? 256;
  const sides = [trained, 2 * trained, 4 * trained].map((side) => [`${side}`, `${side} px`] as const);
  find('#sides', HTMLElement).replaceChildren(
    ...[...sides, ['Infinity', 'Original'] as const].map(sideOption),
  );

  form.addEventListener('change', (event) => {
    if (event.target instanceof HTMLInputElement && event.target.type === 'radio') onChange();
  });
  const value = (name: string) => new FormData(form).get(name);
  return {
    direction: () => (value('direction') === 'BtoA' ? 'BtoA' : 'AtoB'),
    longestSide: () => Number(value('side')),
    setDirection(direction) {
      const input = radio(direction);
      if (!input.disabled) input.checked = true;
    },
  };
}

function sideOption([value, words]: readonly [string, string], index: number): HTMLLabelElement {
  const label = document.createElement('label');
  const input = document.createElement('input');
  Object.assign(input, { type: 'radio', name: 'side', value, checked: index === 0 });
  const text = document.createElement('span');
  text.textContent = words;
  label.append(input, text);
  return label;
}
