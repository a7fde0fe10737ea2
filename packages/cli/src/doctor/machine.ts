/** The whole report of `cyclegan doctor`, in the order in which it is read. Installs nothing, and mends nothing. */
import type { DeviceReport, MachineReport } from '@cyclegan/runtime-node';
import type { DeviceChoice } from '@cyclegan/train';
import { toolVersion } from '../version.js';
import { examineBundle } from './bundle.js';
import { examineDevices } from './devices.js';
import { examineServices, examineTests, examineVideo } from './extras.js';
import { describeSections, type Section } from './finding.js';
import { examineHost } from './host.js';
import { examineTraining } from './training.js';

export interface Machine {
  /** Whether translating can run at all; with a bundle, whether that bundle can. */
  ok: boolean;
  versions: { cyclegan: string; node: string; onnxruntime: string | null; sharp: string | null };
  sections: Section[];
  devices: DeviceReport[];
  /** Null when it cannot train. */
  training: DeviceChoice | null;
  formats: Pick<MachineReport['sharp'], 'reads' | 'writes'> | null;
  [fact: string]: unknown;
}

export interface ExamineOptions {
  bundle?: string | undefined;
  /** A Redis to be reached. */
  redis?: string | undefined;
}

/** Takes some seconds: each device opens a session in a process of its own. */
export async function examineMachine({ bundle, redis }: ExamineOptions): Promise<Machine> {
  const host = await examineHost();
  const { section, devices, machine } = await examineDevices();
  const translating = devices.some(({ works }) => works);
  const examined = bundle === undefined ? undefined : await examineBundle(bundle, devices);
  // A question about a bundle is not one about training.
  const trained = bundle === undefined ? await examineTraining() : undefined;
  const others =
    machine === undefined ? [] : [await examineVideo(), await examineServices(redis), examineTests()];
  return {
    ok: examined ? examined.ok : translating,
    versions: {
      cyclegan: toolVersion(),
      node: process.versions.node,
      onnxruntime: machine?.onnxruntime ?? null,
      sharp: machine?.sharp.sharp ?? null,
    },
    sections: [
      ...(examined ? [examined.section] : []),
      host,
      section,
      ...(trained ? [trained.section] : []),
      ...others,
    ],
    devices,
    training: trained?.training ?? null,
    formats: machine ? { reads: machine.sharp.reads, writes: machine.sharp.writes } : null,
  };
}

export function describeMachine({ versions, sections }: Machine): string {
  return `cyclegan ${versions.cyclegan}, node ${versions.node}\n\n${describeSections(sections)}`;
}
