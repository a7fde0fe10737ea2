/** From `Accept` and the query to the form of the answer: which image format, and whether inside JSON. */
import type { IncomingHttpHeaders } from 'node:http';
import Negotiator from 'negotiator';
import { type ImageFormat, mediaType, type OutputFormat } from '../images/formats.js';
import { Problem } from './problem.js';

export interface AnswerForm {
  format: OutputFormat;
  /** The image as base64 in a JSON object. */
  json: boolean;
}

export const IMAGE_FORMATS = ['png', 'jpg', 'webp', 'avif', 'tiff', 'gif'] as const satisfies ImageFormat[];
const JSON_TYPE = 'application/json';
/** Stands for the input's own format: first, so that wildcards mean it. */
const SAME_TYPE = 'image/as-sent';

/**
 * A format that is asked for by name counts; else what `Accept` prefers, with its weights; else the input's own.
 * @throws Problem 406 when `Accept` allows none
 */
export function negotiateAnswer(headers: IncomingHttpHeaders, asked: OutputFormat | undefined): AnswerForm {
  const byType = new Map<string, ImageFormat>(IMAGE_FORMATS.map((format) => [mediaType(format), format]));
  const offered = asked
    ? [asked === 'keep' ? SAME_TYPE : mediaType(asked), JSON_TYPE]
    : [SAME_TYPE, ...byType.keys(), JSON_TYPE];
  const type = new Negotiator({ headers }).mediaType(offered);
  if (type === JSON_TYPE) return { format: asked ?? 'keep', json: true };
  // Whoever names a format in the address has said what they take.
  if (asked) return { format: asked, json: false };
  if (type === undefined) {
    throw new Problem(
      406,
      'not-acceptable',
      `Expected an Accept header that allows ${[...byType.keys()].join(', ')} or ${JSON_TYPE}.`,
    );
  }
  return { format: byType.get(type) ?? 'keep', json: false };
}
