/** The server's figures in Prometheus' form. Measures nothing itself: the routes tell it. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export const STAGES = ['decode', 'wait', 'run', 'encode'] as const;
export type Stage = (typeof STAGES)[number];

export interface MetricsOptions {
  /** Asked whenever the figures are read. */
  now: {
    /** Requests that are being answered. */
    requests(): number;
    running(): number;
    waiting(): number;
    pendingBytes(): number;
  };
}

export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
  /** @param route as it was registered, which bounds the number of labels */
  answered(request: { route: string; status: number; seconds: number }): void;
  translated(image: {
    direction: string;
    precision: string;
    ms: Readonly<Record<Stage, number>>;
    bytesIn: number;
    bytesOut: number;
  }): void;
  /** An answer that was kept for an Idempotency-Key was given again. */
  repeated(): void;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60];

export function createMetrics({ now }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('cyclegan_requests_in_flight', 'Requests that are being answered.', now.requests);
  gauge('cyclegan_images_running', 'Images that are decoded, computed or encoded.', now.running);
  gauge('cyclegan_queue_length', 'Images that wait for their turn.', now.waiting);
  gauge('cyclegan_pending_bytes', 'Bytes of images received and not answered yet.', now.pendingBytes);

  const requests = new Counter({
    name: 'cyclegan_requests_total',
    help: 'Answered requests; 499 is a client that went before its answer.',
    labelNames: ['route', 'status'],
    registers,
  });
  const requestSeconds = new Histogram({
    name: 'cyclegan_request_seconds',
    help: 'From the headers of a request to the end of its answer.',
    labelNames: ['route'],
    buckets: SECONDS,
    registers,
  });
  const stageSeconds = new Histogram({
    name: 'cyclegan_stage_seconds',
    help: 'Time of each stage of a translation.',
    labelNames: ['stage'],
    buckets: SECONDS,
    registers,
  });
  const images = new Counter({
    name: 'cyclegan_images_total',
    help: 'Translated images.',
    labelNames: ['direction', 'precision'],
    registers,
  });
  const bytes = new Counter({
    name: 'cyclegan_image_bytes_total',
    help: 'Bytes of the images that were translated, and of their translations.',
    labelNames: ['way'],
    registers,
  });
  const repeats = new Counter({
    name: 'cyclegan_repeated_answers_total',
    help: 'Answers given again for an Idempotency-Key.',
    registers,
  });

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    answered({ route, status, seconds }) {
      requests.inc({ route, status });
      requestSeconds.observe({ route }, seconds);
    },
    translated({ direction, precision, ms, bytesIn, bytesOut }) {
      for (const stage of STAGES) stageSeconds.observe({ stage }, ms[stage] / 1000);
      images.inc({ direction, precision });
      bytes.inc({ way: 'in' }, bytesIn);
      bytes.inc({ way: 'out' }, bytesOut);
    },
    repeated: () => repeats.inc(),
  };
}
