/** What `cyclegan train` could use, and a small step's time where there is a choice. */
import type { DeviceChoice } from '@cyclegan/train';
import { type Finding, messageOf, type Section } from './finding.js';

export async function examineTraining(): Promise<{ section: Section; training: DeviceChoice | null }> {
  const title = 'training';
  try {
    const { chooseTrainingDevice, cudaInstallCommand, deviceAbsence, practiceRun } = await import(
      '@cyclegan/train'
    );
    const training = await chooseTrainingDevice(practiceRun());
    const findings = training.tried.map(({ device, stepMs, reason }): Finding => {
      const works =
        stepMs === undefined ? 'works, the only one' : `works, ${stepMs.toFixed(1)} ms for a small step`;
      if (reason === undefined) return { state: 'ok', what: device, detail: works };
      const linux = process.platform === 'linux' && process.arch === 'x64';
      const addable = device === 'cuda' && linux && deviceAbsence('cuda') !== undefined;
      return {
        ...{ state: 'absent', what: device, detail: reason },
        ...(addable && { fix: cudaInstallCommand() }),
      };
    });
    const detail = `times the run's own step on each; here it would begin with ${training.device}`;
    findings.push({ state: 'ok', what: '--device auto', detail });
    return { section: { title, findings }, training };
  } catch (error) {
    const finding: Finding = {
      state: 'wrong',
      what: 'training',
      detail: messageOf(error),
      fix: 'npm install',
    };
    return { section: { title, findings: [finding] }, training: null };
  }
}
