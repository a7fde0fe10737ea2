/** Training to a bundle by command: train, stop, resume, export, verify, translate, on a handful of tiny images. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { cli, lastJson, temporaryFolder } from './support/run-cli.ts';

const tiny = ['--size', '32', '--ngf', '4', '--blocks', '1', '--seed', '1'];

async function folders(): Promise<{ root: string; domains: string[]; run: string }> {
  const root = temporaryFolder();
  for (const [domain, background] of [['a', 'teal'] as const, ['b', 'tomato'] as const]) {
    mkdirSync(join(root, domain));
    for (let i = 0; i < 3; i += 1) {
      const noise = { type: 'gaussian', mean: 60 + 40 * i, sigma: 30 } as const;
      const image = sharp({ create: { width: 40, height: 40, channels: 3, background, noise } });
      await image.toFile(join(root, domain, `${i}.png`));
    }
  }
  return { root, domains: ['--a', join(root, 'a'), '--b', join(root, 'b')], run: join(root, 'run') };
}

test('the whole line: train, export, verify, translate', async () => {
  const { root, domains, run } = await folders();
  const trained = await cli(['train', ...domains, '--out', run, ...tiny, '--steps', '6', '--json']);
  expect(trained.code, trained.stderr).toBe(0);
  expect(lastJson(trained.stdout)).toMatchObject({
    run,
    step: 6,
    steps: 6,
    finished: true,
    losses: { D_A: expect.any(Number), idt_B: expect.any(Number) },
  });
  expect(trained.stderr).toMatch(
    /^train \d\/6 .* left, [\d.]+ images\/s, [\d.]+ % waiting, lr [\d.e-]+, cycle [\d.]+\/[\d.]+, /m,
  );

  const bundle = join(root, 'bundle');
  const exported = await cli(['export', run, '--out', bundle, '--json']);
  expect(exported.code, exported.stderr).toBe(0);
  expect(readdirSync(bundle).sort()).toEqual(['AtoB.fp32.onnx', 'BtoA.fp32.onnx', 'manifest.json']);

  const verified = await cli(['verify', bundle, '--source', run, '--json']);
  expect(verified.code, verified.stderr).toBe(0);
  expect(lastJson(verified.stdout)).toMatchObject({ ok: true, rows: expect.any(Array) });

  const out = join(root, 'out');
  const translated = await cli(['translate', bundle, join(root, 'a'), '--out', out, '--direction', 'BtoA']);
  expect(translated.code, translated.stderr).toBe(0);
  expect(readdirSync(out).filter((name) => !name.startsWith('.'))).toHaveLength(3);

  // A bundle that was touched is told apart: 1, and the failing rows on stdout.
  const model = join(bundle, 'AtoB.fp32.onnx');
  const bytes = readFileSync(model);
  bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
  writeFileSync(model, bytes);
  const touched = await cli(['verify', bundle]);
  expect(touched.code).toBe(1);
  expect(touched.stdout).toMatch(/^FAIL {2}AtoB fp32 /m);
  expect(touched.stdout).toMatch(/^ok {4}BtoA fp32 /m);
  expect(touched.stderr).toMatch(/left out, because no source was named/);
});

test('Ctrl-C saves and says how to go on; --resume finishes', async () => {
  const { domains, run } = await folders();
  let asked = false;
  const stopped = await cli(['train', ...domains, '--out', run, ...tiny, '--steps', '4000'], {
    onStderr(text, child) {
      if (!asked && text.includes('train 1/4000')) asked = child.kill('SIGINT');
    },
  });
  expect(stopped.code, stopped.stderr).toBe(130);
  const [, step, command = ''] =
    /^Stopped and saved at step (\d+) of 4000\. Go on with: cyclegan (.*)\n$/.exec(stopped.stdout) ?? [];
  expect(readFileSync(join(run, 'checkpoints', 'latest'), 'utf8')).toBe(`${step}\n`);
  const last = Number(step) + 2;
  const resumed = await cli([...command.split(' '), '--steps', String(last), '--json']);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(lastJson(resumed.stdout)).toMatchObject({ step: last, finished: true });
});

test('bad input: one sentence, 1, and no run folder', async () => {
  const { root, domains, run } = await folders();
  mkdirSync(join(root, 'empty'));
  const cases: [string[], RegExp][] = [
    [['--a', join(root, 'none'), '--b', join(root, 'b')], /none/],
    [['--a', join(root, 'empty'), '--b', join(root, 'b')], /empty/],
    [[...domains, '--resume'], /run folder/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await cli(['train', ...args, '--out', run, ...tiny, '--steps', '2']);
    expect(stderr).toMatch(/^\[[a-z]+\] [^\n]*expected [^\n]*got [^\n]*\n$/);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  }
  expect(readdirSync(root).sort()).toEqual(['a', 'b', 'empty']);
});
