/**
 * The OpenAPI document: what the routes take and give, from the schemas that check it. Serves nothing.
 */
import { mediaType } from '../images/formats.js';
import { IMAGE_FORMATS } from './negotiate.js';
import { problems, serverInfo, status, translatedImage } from './schemas.js';
import type { Service } from './service.js';

const VERSION = '1';

/** @param options.token whether requests need it */
export function openApiDocument(service: Pick<Service, 'options' | 'limits'>, options: { token: boolean }) {
  const { options: schema, limits } = service;
  const fields = Object.entries(schema.properties).map(([name, { description, ...type }]) => ({
    name,
    in: 'query',
    description,
    schema: type,
  }));
  const json = (description: string, type: object) => ({
    description,
    content: { 'application/json': { schema: type } },
  });
  const withImage = (image: object) => ({
    ...schema,
    required: ['image'],
    properties: { image, ...schema.properties },
  });
  const asked = { 401: 'The token is missing or wrong.', 421: "The name asked for is not the server's." };

  return {
    openapi: '3.1.0',
    info: {
      title: 'CycleGAN translation server',
      version: VERSION,
      description: 'Translates images with the models of one bundle.',
    },
    servers: [{ url: '/' }],
    ...(options.token && { security: [{ bearer: [] }] }),
    ...(options.token && { components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } } }),
    paths: {
      '/v1/translate': {
        post: {
          operationId: 'translate',
          summary: 'Translate an image',
          description:
            'The image comes as the body, in the field image of a form, or as base64 in JSON; never as an address. The answer has the format that is asked for by option or Accept, else the one that was sent; with Accept: application/json it comes as base64.',
          parameters: [
            ...fields,
            {
              name: 'Idempotency-Key',
              in: 'header',
              description: `A repeat with the same key within ${limits.keptSeconds} s gets the first answer.`,
              schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,200}$' },
            },
          ],
          requestBody: {
            required: true,
            description: `At most ${limits.imageBytes} bytes and ${limits.pixels} pixels.`,
            content: {
              'image/*': {},
              'application/octet-stream': {},
              'multipart/form-data': {
                schema: withImage({ type: 'string', contentMediaType: 'application/octet-stream' }),
              },
              'application/json': { schema: withImage({ type: 'string', contentEncoding: 'base64' }) },
            },
          },
          responses: {
            200: {
              description: 'The translated image.',
              headers: {
                'Server-Timing': {
                  schema: { type: 'string' },
                  description: 'Milliseconds of each stage: decode, wait, run, encode.',
                },
                'Idempotent-Replayed': {
                  schema: { type: 'string', const: 'true' },
                  description: 'Where the answer was given before to the same Idempotency-Key.',
                },
              },
              content: {
                ...Object.fromEntries(IMAGE_FORMATS.map((format) => [mediaType(format), {}])),
                'application/json': { schema: translatedImage },
              },
            },
            ...problems({
              400: 'The request or one of its options is not as expected.',
              ...asked,
              403: 'A page of another site asked.',
              406: 'Accept allows no format that there is.',
              408: 'The request took too long to arrive.',
              413: 'Too many bytes or pixels.',
              415: 'A type of body that is not taken.',
              422: 'Not a whole image, or the Idempotency-Key of another request.',
              503: 'Busy, loading, stopping, or it took too long.',
            }),
          },
        },
      },
      '/v1/info': {
        get: {
          operationId: 'info',
          summary: 'The models, what runs, and the limits',
          responses: { 200: json('What the server is.', serverInfo), ...problems(asked) },
        },
      },
      '/health': {
        get: {
          operationId: 'health',
          summary: 'Whether the process answers',
          security: [],
          responses: { 200: json('It does.', status) },
        },
      },
      '/ready': {
        get: {
          operationId: 'ready',
          summary: 'Whether images are taken',
          security: [],
          responses: {
            200: json('They are.', status),
            ...problems({ 503: 'The model is being loaded, or the server is being stopped.' }),
          },
        },
      },
      '/metrics': {
        get: {
          operationId: 'metrics',
          summary: "Figures in Prometheus' text format",
          responses: {
            200: { description: 'The figures.', content: { 'text/plain': { schema: { type: 'string' } } } },
            ...problems(asked),
          },
        },
      },
      '/openapi.json': {
        get: {
          operationId: 'openapi',
          summary: 'This document',
          responses: { 200: json('This document.', { type: 'object' }), ...problems(asked) },
        },
      },
      '/': {
        get: {
          operationId: 'page',
          summary: 'A page to try it with',
          security: [],
          responses: { 200: { description: 'The page.', content: { 'text/html': {} } } },
        },
      },
    },
  };
}
