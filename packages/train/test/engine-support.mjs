/** A tiny run for engines, and its inputs. Plain JavaScript, as the WebGPU test's process reads it too. */
import { poolChoice } from '@cyclegan/train';

/**
 * @param {Partial<import('@cyclegan/train').EngineOptions>} [changes]
 * @returns {import('@cyclegan/train').EngineOptions}
 */
export function tinyEngine(changes = {}) {
  return {
    networks: {
      generator: {
        kind: 'resnet',
        blocks: 1,
        ngf: 4,
        norm: 'instance',
        dropout: false,
        upsample: 'transpose',
        inputChannels: 3,
        outputChannels: 3,
      },
      discriminator: { kind: 'patch', ndf: 4, layers: 1, norm: 'instance' },
    },
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
    height: 16,
    width: 16,
    pool: 3,
    seed: 1,
    init: { type: 'normal', gain: 0.02 },
    device: 'cpu',
    threads: 1,
    recompute: false,
    stepsPerRun: 1,
    ...changes,
  };
}

/**
 * The inputs of steps `from` to `to`, the same whenever they are asked for.
 * @param {import('@cyclegan/train').EngineOptions} options
 * @param {number} from
 * @param {number} to
 * @returns {import('@cyclegan/train').StepInput[]}
 */
export function inputsOf({ networks, batch, height, width, pool: capacity, seed }, from, to) {
  const { inputChannels, outputChannels } = networks.generator;
  return Array.from({ length: to - from }, (_, i) => {
    const step = from + i;
    /** @param {number} channels @param {number} phase */
    const image = (channels, phase) =>
      Float32Array.from({ length: batch * channels * height * width }, (_, k) =>
        Math.sin(phase + 0.37 * k + ((k * k) % 11) + step),
      );
    /** @param {'A' | 'B'} domain */
    const choice = (domain) => poolChoice({ capacity, batch, seed, domain }, step);
    return {
      a: image(inputChannels, 0),
      b: image(outputChannels, 2),
      pool: { A: choice('A'), B: choice('B') },
      learningRate: 2e-4 * (1 - step / 20),
      noise: step * 7 + 1,
    };
  });
}

/**
 * Steps `from` to `to`, as many at once as the engine takes.
 * @param {import('@cyclegan/train').Engine} engine
 * @param {import('@cyclegan/train').EngineOptions} options
 * @param {number} from
 * @param {number} to
 */
export async function runSteps(engine, options, from, to) {
  const losses = [];
  for (let at = from; at < to; at += engine.stepsPerRun) {
    const upTo = Math.min(to, at + engine.stepsPerRun);
    losses.push(...(await engine.run(inputsOf(options, at, upTo))));
  }
  return losses;
}
