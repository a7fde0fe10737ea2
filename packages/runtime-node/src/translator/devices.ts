/**
 * Which execution providers this machine may have, told from files and without loading any: a provider that is
 * loaded in vain prints warnings of its own and costs seconds. Whether one really works, its self-check says.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { type ConcreteDevice, CycleganError, type Device } from '@cyclegan/runtime-core';

/** In the order that `auto` tries them. */
export const NODE_DEVICES = ['tensorrt', 'cuda', 'webgpu', 'cpu'] as const;

/**
 * Why a device need not be tried, or undefined when it may work.
 *
 * WebGPU counts only with a GPU that is not emulated: its software adapters are hundreds of times slower than the
 * cpu provider, and onnxruntime-node does not tell what adapter it took. On Linux the kernel's device files say it;
 * on macOS there always is one; on Windows it cannot be told, so there WebGPU is used on request only.
 */
export function absence(device: ConcreteDevice): string | undefined {
  return device === 'webgpu' ? webgpuAbsence() : libraryAbsence(device);
}

/** What a device computes on, to be compared with the manifest's figures; undefined where export measures none. */
export function machineName(device: ConcreteDevice): string | undefined {
  return device === 'cpu' ? cpuName() : undefined;
}

/**
 * The processor's name as the system gives it; `unknown` where it gives none. Export writes it into the manifest, and
 * translators compare theirs with it.
 */
export function cpuName(): string {
  return (cpus()[0]?.model.trim() || 'unknown').slice(0, 200);
}

/**
 * The devices to try, in order. One that is asked for by name is tried unless its library is missing; a software
 * adapter is then as good as any.
 * @throws CycleganError `device` for one that Node does not have
 */
export function chooseDevices(device: Device): {
  devices: readonly ConcreteDevice[];
  absence(device: ConcreteDevice): string | undefined;
} {
  if (device === 'wasm') {
    throw new CycleganError(
      'device',
      '[translator] device: expected auto, cpu, cuda, tensorrt or webgpu, got wasm, which is for browsers. Use cpu.',
    );
  }
  if (device === 'auto') return { devices: NODE_DEVICES, absence };
  return { devices: [device], absence: libraryAbsence };
}

/** Whether the files of a provider that comes as a library of its own are there. */
function libraryAbsence(device: ConcreteDevice): string | undefined {
  if (device !== 'cuda' && device !== 'tensorrt') return undefined;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `onnxruntime-node has ${device} on Linux x64 only`;
  }
  const name = `libonnxruntime_providers_${device}.so`;
  const main = createRequire(import.meta.url).resolve('onnxruntime-node');
  const folder = join(dirname(main), '..', 'bin', 'napi-v6', process.platform, process.arch);
  if (!existsSync(join(folder, name))) {
    return `${name} is not beside onnxruntime-node; \`cyclegan doctor\` says how to add it`;
  }
  if (device === 'cuda' || isLoadable('libnvinfer.so')) return undefined;
  return 'libnvinfer.so, which is TensorRT itself, is nowhere that the loader looks; `cyclegan doctor` says how to add it';
}

/** Whether the dynamic loader would find a library of this name, of whatever version. */
function isLoadable(name: string): boolean {
  const folders = (process.env.LD_LIBRARY_PATH ?? '').split(delimiter).filter((folder) => existsSync(folder));
  if (folders.some((folder) => readdirSync(folder).some((file) => file.startsWith(name)))) return true;
  // The loader's list of every library in its own folders; their names are in it as they are.
  const cache = '/etc/ld.so.cache';
  return existsSync(cache) && readFileSync(cache).includes(`/${name}`);
}

/** PCI vendors of real GPUs (NVIDIA, AMD, Intel); a virtual machine's display adapters (virtio, VMware, QEMU) are none. */
const GPU_VENDORS = new Set(['0x10de', '0x1002', '0x8086']);

function webgpuAbsence(): string | undefined {
  if (process.platform === 'darwin') return undefined;
  if (process.platform !== 'linux') {
    return 'a software adapter cannot be told from a GPU here; ask for webgpu to use it';
  }
  if (process.arch !== 'x64') return 'onnxruntime-node has no WebGPU for Linux on this processor';
  const found = existsSync('/dev/nvidiactl') || renderNodeVendors().some((vendor) => GPU_VENDORS.has(vendor));
  return found
    ? undefined
    : 'no GPU: neither /dev/nvidiactl nor a render node of NVIDIA, AMD or Intel in /dev/dri';
}

function renderNodeVendors(): string[] {
  const folder = '/dev/dri';
  const nodes = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('renderD')) : [];
  return nodes.flatMap((node) => {
    const path = `/sys/class/drm/${node}/device/vendor`;
    return existsSync(path) ? [readFileSync(path, 'utf8').trim()] : [];
  });
}
