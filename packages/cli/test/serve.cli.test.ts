/** `cyclegan serve` as a shell and an operator see it: its address, its refusals, its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { expect, it, onTestFinished } from 'vitest';
import { cli, lastJson, program, temporaryFolder } from './support/run-cli.ts';

const bundle = fileURLToPath(new URL('../../../test/fixtures/tiny-bundle', import.meta.url));
const TOKEN = 'a-token-of-enough-characters';

interface Running {
  child: ChildProcess;
  /** The first line of stdout. */
  line: string;
  stdout(): string;
  stderr(): string;
  ended: Promise<number | null>;
}

/** Starts it, and waits for its first line. */
function serve(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const words = [program, 'serve', bundle, '--port', '0', '--device', 'cpu', '--threads', '1', ...args];
  const child = spawn(process.execPath, words, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const [line, ...rest] = stdout.split('\n');
      if (line && rest.length > 0) {
        resolve({ child, line, stdout: () => stdout, stderr: () => stderr, ended });
      }
    });
    void ended.then(() => reject(new Error(stderr)));
  });
}

const picture = (side: number) =>
  sharp({ create: { width: side, height: side, channels: 3, background: 'teal' } })
    .jpeg()
    .toBuffer();

async function translate(url: string, image: Uint8Array, headers = {}): Promise<Response> {
  return fetch(`${url}/v1/translate`, {
    method: 'POST',
    body: new Uint8Array(image),
    headers: { 'Content-Type': 'image/jpeg', ...headers },
  });
}

it.each(['SIGTERM', 'SIGINT'] as const)('%s finishes what was accepted, and ends with 0', async (signal) => {
  const server = await serve(['--workers', '1']);
  expect(server.line).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const image = await picture(1200);
  const accepted = Array.from({ length: 3 }, () => translate(server.line, image));
  const inFlight = async () =>
    /in_flight (\d+)/.exec(await (await fetch(`${server.line}/metrics`)).text())?.[1];
  while ((await inFlight()) !== '4') await new Promise((resolve) => setTimeout(resolve, 5));
  server.child.kill(signal);
  expect((await Promise.all(accepted)).map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(await server.ended).toBe(0);
  expect(server.stdout()).toBe(`${server.line}\n`);
  const lines = server.stderr().trim().split('\n');
  const logged = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  expect(logged.filter(({ route, status }) => route === '/v1/translate' && status === 200)).toHaveLength(3);
  expect(logged.at(-1)).toMatchObject({ msg: 'closed' });
});

it('with --json the address is an object, with --log-level silent stderr is quiet', async () => {
  const server = await serve(['--json', '--log-level', 'silent']);
  const { url } = JSON.parse(server.line);
  expect((await translate(url, await picture(20))).status).toBe(200);
  expect(server.stderr()).toBe('');
});

it.each(['file', 'environment'])('the token comes from the %s', async (where) => {
  const file = join(temporaryFolder(), 'token');
  writeFileSync(file, `${TOKEN}\n`);
  const server =
    where === 'file'
      ? await serve(['--host', '0.0.0.0', '--token-file', file])
      : await serve(['--host', '0.0.0.0'], { CYCLEGAN_TOKEN: TOKEN });
  const url = server.line.replace('0.0.0.0', '127.0.0.1');
  const image = await picture(20);
  expect((await translate(url, image)).status).toBe(401);
  expect((await translate(url, image, { Authorization: `Bearer ${TOKEN}` })).status).toBe(200);
});

it.each<[string, string[], RegExp, number]>([
  [
    'others could reach it, and no token',
    ['--host', '0.0.0.0'],
    /^\[server\] host: expected a bearer token/,
    2,
  ],
  ['no file with a token', ['--token-file', '/nowhere/token'], /^\[cyclegan\] --token-file: expected/, 1],
  ['a port beyond all', ['--port', '70000'], /--port to be a whole number from 0 to 65535/, 2],
  ['more pixels than any image has', ['--max-megapixels', '101'], /^\[server\] limits\.pixels: expected/, 2],
  ['a precision that it has not', ['--precision', 'int8', '--port', '0'], /^\[bundle\] .*int8/, 1],
])('%s: one sentence', async (_, args, sentence, exitCode) => {
  const { code, stdout, stderr } = await cli(['serve', bundle, '--log-level', 'silent', ...args]);
  expect(stderr).toMatch(sentence);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
});

it('a port that is taken: one sentence', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address ? String(address.port) : '';
  const { code, stdout, stderr } = await cli([
    'serve',
    bundle,
    '--port',
    port,
    '--json',
    '--log-level',
    'silent',
  ]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^\[server\] listen: expected an address that is free, got [^\n]*\n$/);
  expect(lastJson(stdout)).toEqual({ error: { code: 'usage', message: stderr.trimEnd() } });
});
