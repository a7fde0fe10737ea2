/** An onnxruntime session on a training device, and its failures in words. Knows no training. */
import { type Graph, writeOnnx } from '@cyclegan/graph';
import { CycleganError } from '@cyclegan/runtime-core';
import { env, InferenceSession, type Tensor } from 'onnxruntime-node';
import type { EngineOptions } from '../engine.js';
import { cudaLibrary, deviceAbsence } from './device-absence.js';
import { fitWebGpu } from './webgpu-graph.js';

/** Where a session runs, and how. */
export interface SessionSettings extends Pick<EngineOptions, 'device' | 'threads' | 'onNote'> {
  /** What the session is for, in a note: `training step`. */
  what: string;
}

/** Tensors by name. */
export type Tensors = Record<string, Tensor>;

/** A graph that can be run. */
export interface DeviceSession {
  /**
   * @param into tensors on the host, by output, to be written and given back; other outputs get tensors of their own
   * @throws CycleganError `device` when the provider fails
   */
  run(feeds: Tensors, into?: Tensors): Promise<Tensors>;
  release(): Promise<void>;
}

/** From when on a user is told what took so long. */
const longMs = 2000;

// Failures come as errors, with their reason; the native log would print them a second time.
env.logLevel = 'fatal';

/**
 * Opens a session; holds up the thread, on a GPU for seconds.
 * @param graph the session's from then on: it is fitted to the device
 * @param keep outputs, by name, that stay in the GPU's memory; for webgpu alone
 * @throws CycleganError `device` when the provider is not there or cannot take the graph
 */
export async function openSession(
  { device, threads, onNote, what }: SessionSettings,
  graph: Graph,
  keep: (output: string) => boolean = () => false,
): Promise<DeviceSession> {
  // Onnxruntime would take another provider's word for a missing library, and say so in many lines.
  const absent = device === 'cuda' ? deviceAbsence('cuda') : undefined;
  if (absent) {
    throw new CycleganError(
      'device',
      `[train] device: expected one that is here, got cuda: ${absent.reason}. ${absent.fix}`,
    );
  }
  if (device !== 'cpu')
    onNote?.(`Preparing the ${what} on ${device}; its first run takes longer than others.`);
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
  if (tookMs > longMs) onNote?.(`The ${what} was ready on ${device} after ${(tookMs / 1000).toFixed(1)} s.`);
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
