/** onnxruntime-node on a training device, and its failures in words. Knows no training. */
import { writeOnnx } from '@cyclegan/graph';
import { CycleganError } from '@cyclegan/runtime-core';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import type { EngineOptions } from '../../engine.js';
import type { OrtRuntime, Tensors } from '../ort/runtime.js';
import { fitWebGpu } from '../ort/webgpu-graph.js';
import { cudaLibrary, deviceAbsence } from './device-absence.js';

/** From when on a user is told what took so long. */
const longMs = 2000;

// Failures come as errors, with their reason; the native log would print them a second time.
env.logLevel = 'fatal';

/** A device of onnxruntime-node; looks for nothing until a session is opened. */
export function createNodeRuntime({
  device,
  threads,
  onNote,
}: Pick<EngineOptions, 'device' | 'threads' | 'onNote'>): OrtRuntime {
  return {
    Tensor,
    keepsOutputs: device === 'webgpu',
    fillsOutputs: device === 'cpu',
    async open(graph, { what, keep = () => false, quiet = false }) {
      const say = quiet ? undefined : onNote;
      // Onnxruntime would take another provider's word for a missing library, and say so in many lines.
      const absent = device === 'cuda' ? deviceAbsence('cuda') : undefined;
      if (absent) {
        throw new CycleganError(
          'device',
          `[train] device: expected one that is here, got cuda: ${absent.reason}. ${absent.fix}`,
        );
      }
      if (device !== 'cpu')
        say?.(`Preparing the ${what} on ${device}; its first run takes longer than others.`);
      const started = performance.now();
      if (device === 'webgpu') fitWebGpu(graph);
      const kept = graph.outputs.map(({ name }) => name).filter(keep);
      const session = await InferenceSession.create(writeOnnx(graph), {
        executionProviders: [device],
        graphOptimizationLevel: 'all',
        // One block planned ahead for all tensors takes a third more memory on the CPU, and no less time.
        enableMemPattern: false,
        // The CPU's arena keeps the memory of every phase of a step, and grows in steps of twice the size.
        enableCpuMemArena: device !== 'cpu',
        logSeverityLevel: 4,
        ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
        ...(kept.length === 0
          ? {}
          : {
              preferredOutputLocation: Object.fromEntries(
                graph.outputs.map(({ name }) => [name, kept.includes(name) ? 'gpu-buffer' : 'cpu'] as const),
              ),
            }),
      }).catch((cause: unknown) => {
        throw refusal(device, what, cause);
      });
      const tookMs = performance.now() - started;
      if (tookMs > longMs) say?.(`The ${what} was ready on ${device} after ${(tookMs / 1000).toFixed(1)} s.`);
      const anew = Object.fromEntries(session.outputNames.map((output) => [output, null]));
      return {
        run: async (feeds, into = {}) => {
          try {
            return (await session.run(feeds, { ...anew, ...into })) as Tensors;
          } catch (cause) {
            throw breakdown(device, what, cause);
          }
        },
        release: () => session.release(),
      };
    },
  };
}

/** What a provider says of its failure, in one line without a full stop. */
export function providerReason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  // Native checks put their source line before what happened.
  const reason = text
    .replace(/\/onnxruntime_src\/\S+ .*? was (?:true|false)\. /s, '')
    .replaceAll(/\s+/g, ' ');
  const hint = reason.includes('Failed to load shared library')
    ? ` (\`ldd ${cudaLibrary()}\` names the libraries that it misses)`
    : '';
  return reason.replace(/[. ]+$/, '') + hint;
}

function refusal(device: EngineOptions['device'], what: string, cause: unknown): CycleganError {
  const needs = device === 'cuda' ? 'It needs an NVIDIA driver, CUDA and cuDNN; ' : '';
  return new CycleganError(
    'device',
    `[train] ${device}: expected a session for the ${what}, got: ${providerReason(cause)}. ${needs}\`cyclegan doctor\` says which devices work.`,
    { cause },
  );
}

function breakdown(device: EngineOptions['device'], what: string, cause: unknown): CycleganError {
  return new CycleganError(
    'device',
    `[train] ${device}: expected the ${what} to run, got: ${providerReason(cause)}. If memory is short, take --recompute or a smaller --size or --batch.`,
    { cause },
  );
}
