/** One image to stdout, from stdin or a file: bytes and nothing else. */
import { once } from 'node:events';
import type { ImageOptions, NodeTranslator } from '@cyclegan/runtime-node';
import type { Output } from './output.js';
import { describeTranslator } from './translator-options.js';
import { UsageError } from './usage.js';

const PIPE = '-';
/** More than 100 megapixels of 16 bits take. */
const MAX_BYTES = 1024 ** 3;

/**
 * Whether a command line asks for this.
 * @throws UsageError where it asks for more than can go through a pipe
 */
export function isPipe(args: {
  input: readonly string[];
  out?: string | undefined;
  json?: unknown;
  resume?: boolean | undefined;
  dryRun?: boolean | undefined;
}): boolean {
  const { input, out } = args;
  if (out !== PIPE) {
    if (input.includes(PIPE))
      throw new UsageError('expected --out - for an image from stdin, got a folder or a ZIP');
    return false;
  }
  if (input.length !== 1) throw new UsageError(`expected one image for --out -, got ${input.length}`);
  const other = args.json ? '--json' : args.resume ? '--resume' : args.dryRun ? '--dry-run' : undefined;
  if (other !== undefined) throw new UsageError(`expected ${other} or --out -, got both`);
  if (process.stdout.isTTY)
    throw new UsageError('expected stdout to be a file or a pipe for --out -, got a terminal');
  return true;
}

/** @throws CycleganError as `translateImage`; also `input` for more on stdin than an image can be */
export async function translatePipe(
  translator: NodeTranslator,
  {
    input,
    images,
    output,
    signal,
  }: { input: string | undefined; images: ImageOptions; output: Output; signal: AbortSignal },
): Promise<void> {
  const { translateImage } = await import('@cyclegan/runtime-node');
  for (const line of describeTranslator(translator.info)) output.note(line);
  const image = input === undefined || input === PIPE ? await readStdin() : input;
  const { data } = await translateImage(translator, image, { ...images, signal });
  if (!process.stdout.write(data)) await once(process.stdout, 'drain');
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) {
      const { CycleganError } = await import('@cyclegan/runtime-core');
      throw new CycleganError(
        'input',
        `[translate] stdin: expected an image of at most ${MAX_BYTES} bytes, got more. Translate it as a file.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
