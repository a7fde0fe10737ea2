/** One bundle on this machine: its files and their hashes, the pair for tiles, and each of its directions on each device. */
import { join } from 'node:path';
import { type Direction, type Manifest, selectPair } from '@cyclegan/runtime-core';
import type { DeviceReport } from '@cyclegan/runtime-node';
import { askDevice } from './ask.js';
import { type Finding, messageOf, type Section } from './finding.js';

export interface ExaminedBundle {
  section: Section;
  /** Whether every file is whole and every direction runs on some device. */
  ok: boolean;
}

/** @param devices those that the machine's own report found working */
export async function examineBundle(
  folder: string,
  devices: readonly DeviceReport[],
): Promise<ExaminedBundle> {
  const title = `bundle ${folder}`;
  const { readBundle } = await import('@cyclegan/runtime-node');
  let manifest: Manifest;
  try {
    ({ manifest } = await readBundle(folder));
  } catch (error) {
    const findings: Finding[] = [{ state: 'wrong', what: 'manifest', detail: messageOf(error) }];
    return { section: { title, findings }, ok: false };
  }
  const { name, licence, createdBy } = manifest;
  const made = `${name}, made by ${createdBy.tool} ${createdBy.version}, licence ${licence ?? 'unknown'}`;
  const files = await examineFiles(folder, manifest);
  const runs =
    files.state === 'ok' ? await examineRuns(folder, manifest, devices) : { findings: [], ok: false };
  const findings: Finding[] = [
    { state: 'ok', what: 'manifest', detail: made },
    files,
    ...examinePairs(manifest),
    ...runs.findings,
  ];
  return { section: { title, findings }, ok: runs.ok };
}

async function examineFiles(folder: string, { models, variants }: Manifest): Promise<Finding> {
  const { readModel } = await import('@cyclegan/runtime-node');
  const what = 'files';
  const entries = [...models, ...variants];
  try {
    for (const entry of entries) await readModel(entry, join(folder, entry.file));
    return { state: 'ok', what, detail: `${entries.length} with the manifest's sizes and hashes` };
  } catch (error) {
    const fix = `cyclegan export SOURCE --out ${folder}`;
    return { state: 'wrong', what, detail: messageOf(error), fix };
  }
}

function directionsOf({ models }: Manifest): Direction[] {
  return [...new Set(models.map(({ direction }) => direction))];
}

/** One finding where all models are alike. */
function examinePairs(manifest: Manifest): Finding[] {
  const what = 'pair for tiles';
  const lacking = manifest.models.filter((model) => !selectPair(manifest, model));
  if (lacking.length === 0) {
    return [{ state: 'ok', what, detail: 'there: tiles agree in tone, and videos can be smoothed' }];
  }
  const names = lacking.map(({ direction, precision }) => `${direction} ${precision}`).join(', ');
  const detail = `not for ${names}: tiles of a large image may differ in tone, and videos flicker`;
  return [{ state: 'absent', what, detail, fix: 'cyclegan export SOURCE --out BUNDLE --tiles' }];
}

async function examineRuns(folder: string, manifest: Manifest, devices: readonly DeviceReport[]) {
  const findings: Finding[] = [];
  let ok = true;
  for (const direction of directionsOf(manifest)) {
    let works = false;
    for (const { device } of devices.filter((report) => report.works)) {
      const { info, error } = await askDevice({ device, bundle: folder, direction });
      works ||= info !== undefined;
      const what = `${direction} on ${device}`;
      if (!info) {
        findings.push({ state: 'wrong', what, detail: error ?? 'no answer' });
        continue;
      }
      const { precision, precisionReason, selfCheckError, loadMs } = info;
      const check = `off by ${selfCheckError.toPrecision(1)} in the self-check, open in ${Math.round(loadMs)} ms`;
      findings.push({ state: 'ok', what, detail: `${precision}, ${check}. ${precisionReason}` });
      for (const fallback of info.fallbacks) {
        findings.push({ state: 'absent', what, detail: `passed over: ${fallback.reason}` });
      }
    }
    ok &&= works;
  }
  return { findings, ok };
}
