/** Images in an S3-compatible storage, by its official client, which repeats what fails in passing itself. */
import {
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CycleganError, isCycleganError } from '@cyclegan/runtime-core';
import { formatOf } from '../../files/plan.js';
import { assertInside, MOST_BYTES, type Storage, tooLarge } from './storage.js';

/** What is left out comes from the client's usual places: AWS_REGION, AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID… */
export interface S3Options {
  endpoint?: string | undefined;
  region?: string | undefined;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`; default: where an endpoint is given. */
  pathStyle?: boolean | undefined;
}

const ATTEMPTS = 5;
const CONNECT_MS = 10_000;
/** Without a byte. */
const SILENCE_MS = 60_000;

/** Its credentials are looked for at the first call. `destroy()` is the caller's. */
export function createS3Client(s3: S3Options = {}): S3Client {
  const endpoint = s3.endpoint ?? process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'];
  return new S3Client({
    maxAttempts: ATTEMPTS,
    ...(endpoint && { endpoint }),
    ...(s3.region && { region: s3.region }),
    forcePathStyle: s3.pathStyle ?? endpoint !== undefined,
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
  });
}

/**
 * @param options.place `s3://bucket/prefix/`
 * @throws CycleganError `usage` for a place without a bucket
 */
export function createS3Storage({ place, client }: { place: string; client: S3Client }): Storage {
  const { bucket, prefix } = parse(place);
  const keyOf = (name: string) => {
    assertInside(name);
    return { Bucket: bucket, Key: prefix + name };
  };
  const what = (name: string) => `s3://${bucket}/${prefix}${name}`;

  async function attempted<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw isCycleganError(cause) ? cause : refused(what(name), cause);
    }
  }

  return {
    place,
    async *list({ without, signal } = {}) {
      let token: string | undefined;
      let none = true;
      do {
        const page = await attempted('', () =>
          client.send(
            new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
            signal ? { abortSignal: signal } : {},
          ),
        );
        for (const { Key: key, ETag: version = '' } of page.Contents ?? []) {
          if (key === undefined || formatOf(key) === undefined) continue;
          if (without !== undefined && `s3://${bucket}/${key}`.startsWith(without)) continue;
          none = false;
          yield { name: key.slice(prefix.length), version };
        }
        token = page.NextContinuationToken;
      } while (token !== undefined);
      if (none) {
        throw new CycleganError(
          'input',
          `[fleet] ${place}: expected images, got none. Check bucket and prefix.`,
        );
      }
    },
    find: (name) =>
      attempted(name, async () => {
        const { ETag: version = '' } = await client.send(new HeadObjectCommand(keyOf(name)));
        return { name, version };
      }),
    read: (name) =>
      attempted(name, async () => {
        const { Body: body, ContentLength: bytes } = await client.send(new GetObjectCommand(keyOf(name)));
        if (body === undefined) throw new Error('an answer without a body');
        const stream: AsyncIterable<Uint8Array> = body.transformToWebStream();
        return await collect(stream, bytes, what(name));
      }),
    async has(name) {
      try {
        await client.send(new HeadObjectCommand(keyOf(name)));
        return true;
      } catch (cause) {
        if (statusOf(cause) === 404) return false;
        throw refused(what(name), cause);
      }
    },
    async write(name, bytes, type) {
      try {
        // A put is whole or not there, and what two workers put is the same.
        await client.send(new PutObjectCommand({ ...keyOf(name), Body: bytes, ContentType: type }));
      } catch (cause) {
        const error = refused(what(name), cause);
        throw error.code === 'unavailable'
          ? error
          : new CycleganError('output', error.message, { cause: error.cause });
      }
    },
    // Whether it may be written only a put can tell.
    prepare: () =>
      attempted('', async () => void (await client.send(new HeadBucketCommand({ Bucket: bucket })))),
    async tidy() {},
  };
}

function parse(place: string): { bucket: string; prefix: string } {
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(place) ?? [];
  if (bucket === undefined) {
    throw new CycleganError(
      'usage',
      `[fleet] ${place}: expected s3://bucket/prefix, got something else. Mend the address.`,
    );
  }
  return { bucket, prefix };
}

/** Counted as it comes, because an answer need not say its size truly. */
async function collect(
  stream: AsyncIterable<Uint8Array>,
  announced: number | undefined,
  what: string,
): Promise<Uint8Array> {
  if (announced !== undefined && announced > MOST_BYTES) throw tooLarge(what, announced);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of stream) {
    bytes += piece.length;
    if (bytes > MOST_BYTES) throw tooLarge(what, bytes);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, bytes);
}

/** Of an answer of the service; undefined where none came. */
function statusOf(error: unknown): number | undefined {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

function refused(what: string, cause: unknown): CycleganError {
  const status = statusOf(cause);
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  const final = status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
  // A bucket that is not there, or a key that opens none of it, is no single image's fault.
  const whole =
    cause instanceof Error && /NoSuchBucket|InvalidAccessKeyId|SignatureDoesNotMatch/.test(cause.name);
  return new CycleganError(
    final && !whole ? 'input' : 'unavailable',
    `[fleet] ${what}: expected an answer of the storage, got "${reason.split('\n')[0]}". Check the name, the credentials and the endpoint.`,
    { cause },
  );
}
