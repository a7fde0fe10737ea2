/** Something to try an engine on: a small run, and inputs for any: images of noise, everything else as a run's first steps would have it. */
import { networksSchema } from '@cyclegan/model/networks';
import type { EngineOptions, EngineTask, StepInput } from '../engine.js';
import { poolChoice } from '../feed/image-pool.js';
import { generatorAt } from '../feed/random.js';
import { imageShape } from './ort/state.js';

/** A small run to see whether a device trains at all: 64×64, two residual blocks. */
export function practiceRun(): Omit<EngineOptions, 'device'> {
  return {
    networks: networksSchema.parse({
      generator: { kind: 'resnet', blocks: 2, ngf: 8, inputChannels: 3, outputChannels: 3 },
      discriminator: { kind: 'patch', ndf: 8, layers: 3 },
    }),
    objective: {
      gan: 'lsgan',
      lambdaGanA: 1,
      lambdaGanB: 1,
      lambdaA: 10,
      lambdaB: 10,
      lambdaIdentity: 0.5,
      lambdaGp: 10,
    },
    adam: { beta1: 0.5, beta2: 0.999 },
    batch: 1,
    height: 64,
    width: 64,
    pool: 50,
    seed: 0,
    init: { type: 'normal', gain: 0.02 },
    recompute: false,
    stepsPerRun: 1,
  };
}

/**
 * As many steps' inputs, counted from 0; the images of all of them are the same arrays. Equal tasks get equal inputs,
 * so that devices can be held against each other.
 */
export function practiceInputs(options: EngineTask, count: number): StepInput[] {
  const { batch, seed, pool: capacity } = options;
  const images = (domain: 'A' | 'B') => {
    const length = imageShape(options, domain).reduce((product, size) => product * size, batch);
    const random = generatorAt(seed, 'practice', domain);
    return Float32Array.from({ length }, () => random.next() / 2 ** 31);
  };
  const [a, b] = [images('A'), images('B')];
  return Array.from({ length: count }, (_, step) => {
    const choice = (domain: 'A' | 'B') => poolChoice({ capacity, batch, seed, domain }, step);
    return { a, b, pool: { A: choice('A'), B: choice('B') }, learningRate: 2e-4, noise: step };
  });
}
