/** The command line itself: help, version, and every wrong line in one sentence with exit code 2. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { cli, lastJson, program } from './support/run-cli.ts';

const commands = ['demo', 'train', 'export', 'verify', 'translate', 'serve', 'eval', 'doctor'];
const forbidPackages = fileURLToPath(new URL('support/forbid-packages.mjs', import.meta.url));

test('--help lists the commands, and loads none of the packages that do the work', async () => {
  const { code, stdout, stderr } = await cli(['--help'], { node: ['--import', forbidPackages] });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^  cyclegan ${command}\\b`, 'm'));
});

test.each(commands)('%s --help explains every option and shows an example', async (command) => {
  const { code, stdout, stderr } = await cli([command, '--help'], { node: ['--import', forbidPackages] });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`Examples:\n  cyclegan ${command}`);
  const options = stdout.split('\n').filter((line) => /^ +-/.test(line));
  for (const line of options) expect(line).toMatch(/^ +-\S+ +\S+ \S+/);
});

test('the guide shows no option that translate does not have', async () => {
  const guide = readFileSync(new URL('../../../docs/node.md', import.meta.url), 'utf8');
  const [, commands = '', ...words] = guide.split('## In a program')[0]?.split('```sh') ?? [];
  const shown = [commands, ...words].join('').match(/(?<=[\s`])--[a-z-]+/g) ?? [];
  const { stdout } = await cli(['translate', '--help']);
  expect(shown.length).toBeGreaterThan(20);
  // That of export, whose bundles have the pair for tiles.
  for (const option of shown) if (option !== '--tiles') expect(stdout).toContain(`  ${option} `);
});

test('--version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(await cli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('wrong usage ends with 2 and one sentence', () => {
  const folders = ['--a', 'x', '--b', 'y', '--out', 'z'];
  const cases: [string[], RegExp][] = [
    [[], /expected a command \(demo, .*\), got none/],
    [['trin'], /got trin\. Did you mean train\?/],
    [['--foo'], /got --foo/],
    [['train'], /train: expected --a, --b, --out, got a command line without/],
    [['train', ...folders, '--stes', '4'], /got --stes\. Did you mean --steps\?/],
    [['train', ...folders, '--load-sise=4'], /got --load-sise\. Did you mean --load-size\?/],
    [['train', ...folders, '-x'], /got -x\./],
    [['train', ...folders, 'more'], /got also more/],
    [['train', ...folders, '--steps', 'ten'], /--steps to be a whole number of at least 1, got "ten"/],
    [['train', ...folders, '--steps=0'], /got "0"/],
    [
      ['train', ...folders, '--loadSize', '1.5'],
      /--load-size to be a whole number of at least 8, got "1\.5"/,
    ],
    [['train', ...folders, '--lr', '-1'], /--lr to be a number of at least 0, got "-1"/],
    [['train', ...folders, '--steps', '3', '--epochs', '2'], /expected --steps or --epochs, got both/],
    [['train', ...folders, '--gan', 'foo'], /--gan to be one of "lsgan", "vanilla", "wgangp", got "foo"/],
    [['train', '--a'], /expected a value behind --a, got none/],
    [
      ['export', 'run', '--out', 'b', '--precision', 'fp32,fp64'],
      /one or more of fp32, fp16-weights, fp16, int8, joined by commas, got "fp32,fp64"/,
    ],
    [
      ['export', 'run', '--out', 'b', '--range', '1..0'],
      /--range to be .* as -1\.\.1, 0\.\.1 or 0\.\.255, got "1\.\.0"/,
    ],
    [['export', 'run', '--out', 'b', '--size', '8x'], /--size to be fixed, .* as 320x240, got "8x"/],
    [
      ['export', 'run', '--out', 'b', '--target', 'tpu'],
      /--target to be one of "cpu", "gpu", "browser", got "tpu"/,
    ],
    [
      ['verify', 'b', '--device', 'tpu'],
      /one or more of cpu, cuda, tensorrt, webgpu, joined by commas, got "tpu"/,
    ],
    [['translate', 'bundle', '--out', 'o'], /expected translate <bundle> <input\.\.>, got 1/],
    [
      ['translate', 'bundle', 'in', '--out', 'o', '--tile', 'big'],
      /--tile to be auto, none or a number of pixels, got "big"/,
    ],
    [['translate', 'bundle', 'in'], /expected --out or --zip, got neither/],
    [['translate', 'bundle', 'in', '--zip', 'z', '--resume'], /expected --resume or --zip, got both/],
    [['translate', 'bundle', 'in', '--out', 'o', '--memory', '4X'], /--memory to be a size as .*, got "4X"/],
    [['translate', 'bundle', 'in', '--out', 'o', '--size', '0x9'], /--size to be a number .*, got "0x9"/],
    [['translate', 'bundle', 'in', '--out', 'o', '--background', 'blu'], /--background to be a colour/],
    [['translate', 'bundle', 'in', '--out', 'o', '--smoothing', '1'], /--smoothing to be .*, got "1"/],
  ];
  test.each(cases)('%j', async (args, message) => {
    const { code, stdout, stderr } = await cli(args);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^\[cyclegan\] [^\n]* See cyclegan [^\n]*--help\.\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('with --json also as an object', async () => {
    const { code, stdout, stderr } = await cli(['verify', '--json']);
    expect(code).toBe(2);
    expect(lastJson(stdout)).toEqual({ error: { code: 'usage', message: stderr.trimEnd() } });
  });
});

test('the file named by package.json as bin is the one that is tested', () => {
  const { bin } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(fileURLToPath(new URL(`../${bin.cyclegan}`, import.meta.url))).toBe(program);
});
