/**
 * Which of a direction's models a device runs where the program does not say: the fastest that was measured on a
 * machine like this one and is near enough to fp32, else the one most like fp32. Opens nothing.
 */
import { type Direction, type Manifest, type ModelEntry, type Precision, selectModel } from './manifest.js';
import type { ConcreteDevice } from './translator.js';

/** The least PSNR to fp32 over held-out images, dB: its mean, and that of the worst image. */
const LEAST = { psnr: 40, worst: 35 } as const;
/** How much faster a model must be to be worth its loss: less than this lies within what measurements differ by. */
const LEAST_GAIN = 1.2;
const NONE_GOOD = `none that was measured on this machine is both a fifth faster and within ${LEAST.psnr} dB (worst ${LEAST.worst}) over held-out images`;

export interface ChooseModelsOptions {
  direction?: Direction | undefined;
  /** Asked for by name: nothing is chosen then. */
  precision?: Precision | undefined;
  device: ConcreteDevice;
  /** The device's processor as `cyclegan export` names it; undefined where it cannot be told. */
  machine: string | undefined;
}

/** A model to try, and why. */
export interface ChosenModel {
  model: ModelEntry;
  /** A sentence; becomes `info.precisionReason`. */
  precisionReason: string;
}

/**
 * The models to try on a device, in order: the chosen one, and after one chosen for its speed the one most like fp32.
 * @throws CycleganError `bundle` naming what the bundle holds
 */
export function chooseModels(manifest: Manifest, options: ChooseModelsOptions): ChosenModel[] {
  const { device, machine } = options;
  const likest = selectModel(manifest, options);
  if (options.precision) {
    return [{ model: likest, precisionReason: `${likest.precision} was asked for.` }];
  }
  const others = manifest.models.filter((model) => model.direction === likest.direction && model !== likest);
  if (others.length === 0) {
    return [
      { model: likest, precisionReason: `The bundle has ${likest.direction} as ${likest.precision} alone.` },
    ];
  }
  const speedOf = ({ speed }: ModelEntry) =>
    machine === undefined
      ? undefined
      : speed.find((each) => each.device === device && each.machine === machine);
  const measured = others.filter((model) => speedOf(model) !== undefined);
  const ratioOf = (model: ModelEntry) => speedOf(model)?.ratio ?? 1;
  const [fastest] = measured
    .filter((model) => isNear(model) && ratioOf(model) >= LEAST_GAIN * ratioOf(likest))
    .sort((a, b) => ratioOf(b) - ratioOf(a));
  const most = `${likest.precision} is the most exact that the bundle has`;
  if (!fastest) {
    const why = measured.length > 0 ? NONE_GOOD : `no other was measured on ${device} of this machine`;
    return [{ model: likest, precisionReason: `${most}, and ${why}.` }];
  }
  const { psnr = 0, worst = 0 } = fastest.quality ?? {};
  const precisionReason = `${fastest.precision} was measured ${ratioOf(fastest).toFixed(2)} times as fast as fp32 on ${machine}, at ${psnr.toFixed(1)} dB to fp32 over held-out images (worst ${worst.toFixed(1)}).`;
  return [
    { model: fastest, precisionReason },
    {
      model: likest,
      precisionReason: `${most}; ${fastest.precision}, which is faster, was passed over as the fallbacks say.`,
    },
  ];
}

function isNear({ quality }: ModelEntry): boolean {
  return quality?.of === 'held-out' && quality.psnr >= LEAST.psnr && quality.worst >= LEAST.worst;
}
