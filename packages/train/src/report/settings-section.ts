/** A run's settings in words, by what they are about. Shows what it does not know under its own name. */
import { label } from './evaluation-section.js';
import { escapeHtml } from './html.js';
import type { Settings } from './run-data.js';
import { count, placeName, spaced } from './words.js';

/** Groups in their order; settings by their place in config.json. `networks` has a section of its own. */
const groups: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Data: {
    a: 'Images of A',
    b: 'Images of B',
    preprocess: 'Preprocessing',
    loadSize: 'Scaled to, pixels',
    size: 'Crop, pixels',
    height: 'Height, pixels',
    width: 'Width, pixels',
    flip: 'Random mirroring',
    pairing: 'Pairs of A and B',
    maxImages: 'Images used at most',
    cache: 'Decoded pictures in',
  },
  Objective: {
    gan: 'Adversarial loss',
    lambdaGanA: 'Weight, adversarial A → B',
    lambdaGanB: 'Weight, adversarial B → A',
    lambdaA: 'Weight, cycle from A',
    lambdaB: 'Weight, cycle from B',
    lambdaIdentity: 'Weight, identity',
    lambdaGp: 'Weight, gradient penalty',
    pool: 'Image pool',
  },
  Optimiser: {
    batch: 'Batch',
    learningRate: 'Learning rate',
    lrPolicy: 'Rate falls by',
    lrDecayEvery: 'Rate falls every',
    'adam.beta1': 'Adam β₁',
    'adam.beta2': 'Adam β₂',
    steps: 'Steps',
    decaySteps: 'of them at a falling rate',
    epochs: 'Epochs at the full rate',
    decayEpochs: 'Epochs at a falling rate',
    'init.type': 'First weights',
    'init.gain': 'Their gain',
    initFrom: 'Weights taken from',
  },
  Evaluation: {
    'held.a': 'Held-out images of A',
    'held.b': 'Held-out images of B',
    'held.paired': 'They are pairs',
    evalEvery: 'Steps between two',
    features: 'Features by',
    bestMetric: 'The best is best in',
    patience: 'Patience, evaluations',
  },
  Machine: {
    engine: 'Engine',
    device: 'Device',
    threads: 'Threads',
    stepsPerRun: 'Steps in a call',
    recompute: 'Recomputes activations',
    seed: 'Seed',
  },
  'Run folder': {
    checkpointEvery: 'Steps between checkpoints',
    keep: 'Newest checkpoints kept',
    sampleEvery: 'Steps between samples',
    reportEvery: 'Steps between metrics',
    tensorboard: 'TensorBoard events',
  },
};

const places = new Set(['a', 'b', 'cache', 'held.a', 'held.b', 'features', 'initFrom']);
const elsewhere = /^(format|version|networks)(\.|$)/;

/** HTML of the section's content. Paths are shortened: the page may be passed on. */
export function settingsSection(settings: Settings): string {
  const rest = new Map(flatten(settings).filter(([path]) => !elsewhere.test(path)));
  const cards = Object.entries(groups).map(([title, labels]) => {
    const rows = Object.entries(labels).flatMap(([path, words]) => {
      const value = rest.get(path);
      rest.delete(path);
      return value === undefined || value === null ? [] : [row(words, show(path, value))];
    });
    return card(title, rows);
  });
  const unknown = [...rest].filter(([, value]) => value !== null);
  cards.push(
    card(
      'More',
      unknown.map(([path, value]) => row(spaced(path), show(path, value))),
    ),
  );
  return cards.some((html) => html !== '') ? `<div class="groups">${cards.join('\n')}</div>` : '';
}

function card(title: string, rows: string[]): string {
  if (rows.length === 0) return '';
  return `<div class="card"><h3>${title}</h3><dl class="rows">${rows.join('')}</dl></div>`;
}

function row(words: string, value: string): string {
  return `<div><dt>${escapeHtml(words)}</dt><dd>${escapeHtml(value)}</dd></div>`;
}

function show(path: string, value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return path === 'seed' || Math.abs(value) < 1 ? String(value) : count(value);
  if (typeof value !== 'string') return JSON.stringify(value);
  if (path === 'bestMetric') return label(value);
  return places.has(path) ? placeName(value) : value.replaceAll('_', ' ');
}

/** Values by their path; lists stay whole. */
function flatten(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => flatten(inner, path ? `${path}.${key}` : key));
}
