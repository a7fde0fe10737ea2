/** `cyclegan serve`: a bundle behind HTTP, until it is told to stop. */
import { type Context, defineCommand } from '../command.js';
import { bytes, group, real, whole } from '../options.js';
import { readToken } from '../token.js';
import { translatorOptions } from '../translator-options.js';

const MEGAPIXEL = 1e6;

export const serve = defineCommand({
  command: 'serve <bundle>',
  describe: 'Translate images over HTTP: an API, a page to try it, metrics',
  about:
    'POST an image to /v1/translate and its translation comes back; open the printed address in a browser to try it. /openapi.json tells programs the rest; /health, /ready and /metrics are for operators. Listens on this machine alone unless --host says else, which needs a token. Ctrl-C and SIGTERM finish what was accepted. The address goes to stdout once images are taken, logs as JSON lines to stderr.',
  positionals: {
    bundle: { type: 'string', demandOption: true, describe: 'Folder that cyclegan export wrote' },
  },
  options: {
    ...group('Address and access:', {
      host: {
        type: 'string',
        default: '127.0.0.1',
        describe: 'Where to listen; 0.0.0.0 for all addresses of this machine',
      },
      port: {
        type: 'number',
        default: 8080,
        coerce: whole('port', 0, 65_535),
        describe: '0 takes any that is free',
      },
      'token-file': {
        type: 'string',
        defaultDescription: 'CYCLEGAN_TOKEN',
        describe: 'File with the token that requests must bring as Authorization: Bearer …',
      },
      'no-auth': {
        type: 'boolean',
        describe: 'Listen beyond this machine without a token, as behind a proxy that asks for one',
      },
      'host-name': {
        type: 'string',
        describe: 'Names, by commas, that the server is asked for by, as behind a proxy; others are refused',
      },
    }),
    ...group('Limits:', {
      'max-bytes': {
        type: 'string',
        default: '32M',
        coerce: bytes('max-bytes'),
        describe: 'Of one image file',
      },
      'max-megapixels': {
        type: 'number',
        default: 40,
        coerce: real('max-megapixels', 0.000_1),
        describe: 'Of one image, all frames together; 100 at most',
      },
      queue: {
        type: 'number',
        default: 64,
        coerce: whole('queue', 1),
        describe: 'Images that may wait for their turn; others are told when to come back',
      },
      timeout: {
        type: 'number',
        default: 60,
        coerce: whole('timeout', 1),
        describe: "Seconds from an image's arrival to its answer",
      },
      'upload-timeout': {
        type: 'number',
        default: 60,
        coerce: whole('upload-timeout', 1),
        describe: 'Seconds that a request may take to arrive',
      },
      'max-connections': {
        type: 'number',
        default: 2000,
        coerce: whole('max-connections', 1),
        describe: 'Open at a time',
      },
      'shutdown-timeout': {
        type: 'number',
        default: 30,
        coerce: whole('shutdown-timeout', 0),
        describe: 'Seconds to go on with what was accepted when told to stop',
      },
    }),
    ...group('Logs:', {
      'log-level': {
        choices: ['debug', 'info', 'warn', 'error', 'silent'],
        default: 'info',
        describe: 'info writes one line for each request, with the time of each stage',
      },
    }),
    ...translatorOptions,
    workers: { ...translatorOptions.workers, defaultDescription: 'by the cores: 4 at most, or a fourth' },
  },
  examples: [
    ['serve bundles/monet', 'on http://127.0.0.1:8080, for this machine alone'],
    ['serve bundles/monet --host 0.0.0.0 --token-file token.txt', 'for others, who bring the token'],
    ['serve bundles/monet --port 0 --json', 'on a free port, printed as { "url": … }'],
  ],

  async handler(args, { output, signal }) {
    const { createServer } = await import('@cyclegan/runtime-node/server');
    const { direction, precision, device, threads, workers, batch, memory, tile, alpha, background } = args;
    const server = await createServer({
      bundle: args.bundle,
      host: args.host,
      port: args.port,
      token: await readToken(args.tokenFile),
      open: args.noAuth,
      hostNames: args.hostName?.split(',').map((name) => name.trim()),
      limits: {
        imageBytes: args.maxBytes,
        pixels: Math.round(args.maxMegapixels * MEGAPIXEL),
        queue: args.queue,
        seconds: args.timeout,
        uploadSeconds: args.uploadTimeout,
        connections: args.maxConnections,
      },
      shutdownSeconds: args.shutdownTimeout,
      logger: { level: args.logLevel, stream: process.stderr },
      ...{ direction, precision, device, threads, workers, batch, memory, tile, alpha, background },
    });
    try {
      const url = await server.listen();
      await Promise.race([server.ready(), aborted(signal)]);
      if (signal.aborted) return 0;
      output.result(url, { url });
      await aborted(signal);
    } finally {
      await server.close();
    }
    return 0;
  },
});

function aborted(signal: Context['signal']): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
