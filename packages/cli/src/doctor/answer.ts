/** The process of one question. Not imported: started by ask.ts. */
import { createTranslator, probeDevices } from '@cyclegan/runtime-node';
import type { DeviceAnswer, DeviceQuestion } from './ask.js';
import { messageOf } from './finding.js';

process.once('message', async (question: DeviceQuestion) => {
  const answer = await answerTo(question).catch((error): DeviceAnswer => ({ error: messageOf(error) }));
  process.send?.(answer, () => process.disconnect());
});

async function answerTo({ device, bundle, direction }: DeviceQuestion): Promise<DeviceAnswer> {
  if (bundle === undefined) return { machine: await probeDevices([device]) };
  const translator = await createTranslator(bundle, { device, direction });
  const { precision, precisionReason, selfCheckError, loadMs, fallbacks } = translator.info;
  await translator.dispose();
  return { info: { precision, precisionReason, selfCheckError, loadMs, fallbacks } };
}
