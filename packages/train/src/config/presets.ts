/** Settings that go together, and what they cost. */

/**
 * `tiny` learns a change of texture or colour on a laptop; `small` is for icons and textures at 128 px; `paper` is
 * the paper's setting: 256² crops of 286², nine blocks, batch 1, 100 + 100 epochs.
 */
export const presets = {
  tiny: { size: 64, loadSize: 72, ngf: 32, blocks: 4, steps: 3000, decaySteps: 1500 },
  small: { size: 128, loadSize: 143, ngf: 64, blocks: 6, steps: 20_000, decaySteps: 10_000 },
  paper: { size: 256, loadSize: 286, ngf: 64, blocks: 9, epochs: 100, decayEpochs: 100 },
} as const;

/** One of {@link presets}. */
export type PresetName = keyof typeof presets;
/** The settings of one of {@link presets}. */
export type Preset = (typeof presets)[PresetName];
