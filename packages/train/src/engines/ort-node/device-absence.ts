/**
 * Which training devices this machine may have, told from files and without loading a provider: one that is loaded in
 * vain prints warnings of its own and costs seconds. The same question for translating is answered in runtime-node,
 * whose answers belong to it: neither package knows the other.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { EngineOptions } from '../../engine.js';

/** PCI vendors of real GPUs (NVIDIA, AMD, Intel); a virtual machine's display adapters are none. */
const gpuVendors = new Set(['0x10de', '0x1002', '0x8086']);

/** Why a device is not there, and what to do, each a clause without its full stop. */
export interface Absence {
  reason: string;
  fix: string;
}

/**
 * Why a device cannot be there, or undefined when it may be. A software adapter for WebGPU counts as absent, although
 * it works when asked for by name: it is hundreds of times slower than the CPU.
 */
export function deviceAbsence(device: EngineOptions['device']): Absence | undefined {
  if (device === 'cuda') return cudaAbsence();
  if (device === 'webgpu') return webgpuAbsence();
  return undefined;
}

/**
 * The one command that adds CUDA's files to onnxruntime-node: its own install script, which fetches them for CUDA 12
 * from NuGet, called by its path, as package managers differ in how they allow scripts.
 */
export function cudaInstallCommand(): string {
  return `ONNXRUNTIME_NODE_INSTALL=cuda12 node ${require.resolve('onnxruntime-node/script/install.js')}`;
}

/** Where onnxruntime-node looks for CUDA. */
export function cudaLibrary(): string {
  const folder = join(dirname(require.resolve('onnxruntime-node')), '..', 'bin', 'napi-v6', 'linux', 'x64');
  return join(folder, 'libonnxruntime_providers_cuda.so');
}

const require = createRequire(import.meta.url);

function cudaAbsence(): Absence | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { reason: 'onnxruntime-node has CUDA on Linux x64 only', fix: 'Take --device auto' };
  }
  if (existsSync(cudaLibrary())) return undefined;
  return {
    reason: "CUDA's files are not beside onnxruntime-node",
    fix: `For an NVIDIA GPU with CUDA 12 and cuDNN 9 add them with: ${cudaInstallCommand()}`,
  };
}

function webgpuAbsence(): Absence | undefined {
  if (process.platform === 'darwin') return undefined;
  if (process.platform !== 'linux') {
    return {
      reason: 'a software adapter cannot be told from a GPU here',
      fix: 'Ask for it by name where there is a GPU',
    };
  }
  if (process.arch !== 'x64') {
    return { reason: 'onnxruntime-node has no WebGPU for Linux on this processor', fix: 'Take --device cpu' };
  }
  if (existsSync('/dev/nvidiactl') || renderNodeVendors().some((vendor) => gpuVendors.has(vendor))) {
    return undefined;
  }
  return {
    reason: 'no GPU: neither /dev/nvidiactl nor a render node of NVIDIA, AMD or Intel in /dev/dri',
    fix: 'Take --device cpu',
  };
}

function renderNodeVendors(): string[] {
  const folder = '/dev/dri';
  const nodes = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('renderD')) : [];
  return nodes.flatMap((node) => {
    const path = `/sys/class/drm/${node}/device/vendor`;
    return existsSync(path) ? [readFileSync(path, 'utf8').trim()] : [];
  });
}
