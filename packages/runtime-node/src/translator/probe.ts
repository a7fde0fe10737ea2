/**
 * What this machine can do, for `cyclegan doctor`: versions, cores, image formats, and of each device whether a
 * session really opens on it and computes right.
 */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { type ConcreteDevice, encodePatch, type Manifest, type ModelEntry } from '@cyclegan/runtime-core';
import { loadSharp } from '../images/sharp.js';
import { absence, NODE_DEVICES } from './devices.js';
import { openTranslator } from './translator.js';

export interface DeviceReport {
  device: ConcreteDevice;
  /** Whether onnxruntime-node was built with it. */
  listed: boolean;
  /** Whether a session opened and passed a self-check. */
  works: boolean;
  /** Whether `auto` tries it here. */
  auto: boolean;
  /** Why it does not work, or why `auto` leaves it out although it does. */
  reason?: string;
  /** Opening and self-check of a one-node model. */
  loadMs?: number;
}

export interface MachineReport {
  onnxruntime: string;
  sharp: { sharp: string; vips: string; reads: string[]; writes: string[] };
  /** Cores that this process may use: a translator's threads. */
  cores: number;
  devices: DeviceReport[];
}

/**
 * Opens and closes a session on each device in turn; takes seconds where a GPU compiles its shaders.
 * @param asked default: all that Node may have
 */
export async function probeDevices(asked: readonly ConcreteDevice[] = NODE_DEVICES): Promise<MachineReport> {
  // Loaded here, so that programs which only translate start without.
  const { env, listSupportedBackends } = await import('onnxruntime-node');
  const sharp = loadSharp();
  const listed = new Set(listSupportedBackends().map(({ name }) => name));
  const devices: DeviceReport[] = [];
  for (const device of asked) devices.push(await probe(device, listed.has(device)));
  const formats = Object.values(sharp.format);
  return {
    onnxruntime: env.versions.node ?? env.versions.common,
    sharp: {
      sharp: sharp.versions.sharp,
      vips: sharp.versions.vips,
      reads: formats.filter(({ input }) => input.file).map(({ id }) => id),
      writes: formats.filter(({ output }) => output.file).map(({ id }) => id),
    },
    cores: availableParallelism(),
    devices,
  };
}

async function probe(device: ConcreteDevice, listed: boolean): Promise<DeviceReport> {
  const absent = absence(device);
  const report = { device, listed, auto: absent === undefined };
  const { manifest, source } = probeBundle();
  try {
    const translator = await openTranslator(manifest, () => source, { device });
    await translator.dispose();
    const { loadMs } = translator.info;
    return { ...report, works: true, loadMs, ...(absent !== undefined && { reason: absent }) };
  } catch (error) {
    const { cause } = error instanceof Error ? error : {};
    // The error says for which device; the report already does.
    const reason = cause instanceof Error ? cause.message : (absent ?? String(error));
    return { ...report, works: false, reason };
  }
}

/** An ONNX file of one Tanh node, [N, 3, H, W] in and out, opset 17, IR 8. */
const TANH_MODEL =
  'CAgSADpxChoKBWltYWdlEgt0cmFuc2xhdGlvbiIEVGFuaBIFcHJvYmVaIgoFaW1hZ2USGQoXCAESEwoDEgFOCgIIAwoDEgFICgMSAVdiKAoLdHJhbnNsYXRpb24SGQoXCAESEwoDEgFOCgIIAwoDEgFICgMSAVdCBAoAEBE=';

function probeBundle(): { manifest: Manifest; source: Uint8Array } {
  const source = Buffer.from(TANH_MODEL, 'base64');
  const side = 8;
  const patch = Float32Array.from({ length: 3 * side * side }, (_, i) => i / 96 - 1);
  const tensor = { layout: 'NCHW', dtype: 'float32', channels: 3, range: [-1, 1] } satisfies Omit<
    ModelEntry['input'],
    'name'
  >;
  const model: ModelEntry = {
    direction: 'AtoB',
    precision: 'fp32',
    file: 'probe.onnx',
    bytes: source.length,
    sha256: createHash('sha256').update(source).digest('hex'),
    opset: 17,
    irVersion: 8,
    input: { name: 'image', ...tensor },
    output: { name: 'translation', ...tensor },
    sizeMultiple: 1,
    minSize: side,
    selfCheck: {
      width: side,
      height: side,
      input: encodePatch({ data: patch }),
      output: encodePatch({ data: patch.map(Math.tanh) }),
      tolerance: 1e-3,
    },
    quality: null,
    speed: [],
    memory: null,
  };
  const manifest: Manifest = {
    format: 'cyclegan-bundle',
    version: 1,
    name: 'probe',
    licence: null,
    createdBy: { tool: 'probe', version: '1' },
    createdAt: '2025-01-01T00:00:00Z',
    networks: { generator: null },
    provenance: null,
    training: null,
    models: [model],
    variants: [],
  };
  return { manifest, source };
}
