/** A tfjs model with a layer of the user's own, exported and verified with a module that knows it; networks by key. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { KerasFile } from '../../export/test/tfjs-layers-keras.ts';
import { writeModel } from '../../export/test/tfjs-layers-support.ts';
import { cli, lastJson, temporaryFolder } from './support/run-cli.ts';

/** A module in the user's folder, which here cannot find the package by name. */
const layers = (define: string) => `
import { Mul } from '${import.meta.resolve('@cyclegan/graph')}';
const convert = ({ graph, x, config }) => graph.op(Mul, [x, graph.float(config.number('factor', 1))]);
${define}
export default [{ className: 'Halve', convert, define }];
`;
const define = `
const define = (tf) => class extends tf.layers.Layer {
  static className = 'Halve';
  call(inputs) { return tf.mul([inputs].flat()[0], 0.5); }
};`;

function halvingModel(folder: string): string {
  const file = new KerasFile();
  const input = file.input([null, null, null, 3]);
  return writeModel(folder, file.model(input, file.add('Halve', { factor: 0.5 }, [input])));
}

test('a module of layers makes a model of them a bundle that verifies', async () => {
  const folder = temporaryFolder();
  const model = halvingModel(folder);
  const module = join(folder, 'layers.mjs');
  writeFileSync(module, layers(define));
  const out = join(folder, 'bundle');
  const unknown = await cli(['export', model, '--out', out]);
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('Halve') });
  expect(await cli(['export', model, '--out', out, '--custom-layers', module])).toMatchObject({ code: 0 });
  const verified = await cli([
    ...['verify', out, '--source', model, '--custom-layers', module],
    ...['--device', 'cpu', '--json'],
  ]);
  expect(verified.code).toBe(0);
  expect(lastJson(verified.stdout)).toMatchObject({ ok: true });
});

test('a module that is none, or lists none, is refused in one sentence', async () => {
  const folder = temporaryFolder();
  const model = halvingModel(folder);
  const module = join(folder, 'empty.mjs');
  writeFileSync(module, 'export default { className: "Halve" };');
  for (const path of [module, join(folder, 'missing.mjs')]) {
    const { code, stderr } = await cli([
      'export',
      model,
      '--out',
      join(folder, 'b'),
      '--custom-layers',
      path,
    ]);
    expect(code).toBe(2);
    expect(stderr.trim()).toMatch(/^\[export\] --custom-layers .*: expected a module whose default export/);
  }
});

test('of a PyTorch file with several networks the one that is named is exported', async () => {
  const source = fileURLToPath(new URL('../../../test/fixtures/pytorch/program.pth', import.meta.url));
  const out = join(temporaryFolder(), 'bundle');
  const missing = await cli(['export', source, '--out', out, '--key', 'netG_C']);
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('netG_C') });
  const exported = await cli(['export', source, '--out', out, '--key', 'netG_B', '--json']);
  expect(exported.code).toBe(0);
  expect(lastJson(exported.stdout)).toMatchObject({ models: [{ direction: 'BtoA' }] });
  expect((await cli(['verify', out, '--source', source, '--device', 'cpu'])).code).toBe(0);
});
