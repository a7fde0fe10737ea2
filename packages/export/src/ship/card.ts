/**
 * The model card of a bundle: README.md with the front matter that model hubs read, and what a person wants to know
 * before using the model. Makes text of a manifest; writes no files.
 */
import type { GeneratorConfig, Manifest, ModelEntry, VariantEntry } from '@cyclegan/runtime-core';
import { CARD_MARK } from '../bundle/bundle-folder.js';
import type { Sample } from './samples.js';

export interface CardOptions {
  readonly manifest: Manifest;
  readonly samples: readonly Sample[];
  /** Whether the samples are of real pictures. */
  readonly realSamples: boolean;
}

/** @returns Markdown that ends with the mark by which a later export knows it as its own */
export function modelCard({ manifest, samples, realSamples }: CardOptions): string {
  const { name, licence, createdBy, createdAt } = manifest;
  const sections = [
    frontMatter(manifest),
    `# ${text(name)}`,
    introduction(manifest),
    ...(samples.length > 0 ? [sampleSection(samples, realSamples)] : []),
    `## Files\n\n${filesSection(manifest)}`,
    `## Use\n\n${useSection(manifest)}`,
    `## What it is\n\n${facts(manifest)}`,
    `## Licence\n\n${licence === null ? 'The maker of this bundle stated no licence for its weights.' : `The weights: ${text(licence)}.`}`,
    `Made by ${createdBy.tool} ${createdBy.version} on ${createdAt.slice(0, 10)}.`,
    CARD_MARK,
  ];
  return `${sections.join('\n\n')}\n`;
}

/** The identifiers that hubs know are SPDX's in small letters; whatever is none goes under `other`. */
function frontMatter({ name, licence }: Manifest): string {
  const plain = licence !== null && /^[A-Za-z0-9.-]+$/.test(licence);
  const stated = plain
    ? [`license: ${licence.toLowerCase()}`]
    : ['license: other', `license_name: ${JSON.stringify(licence)}`];
  return [
    '---',
    ...(licence === null ? [] : stated),
    'library_name: onnx',
    'pipeline_tag: image-to-image',
    `model_name: ${JSON.stringify(name)}`,
    'tags:',
    ...['image-to-image', 'image-translation', 'cyclegan', 'onnx', 'onnxruntime'].map((tag) => `  - ${tag}`),
    '---',
  ].join('\n');
}

function introduction({ models }: Manifest): string {
  const directions = [...new Set(models.map(({ direction }) => direction))];
  const ways = directions.map((direction) => direction.replace('to', ' to ')).join(' and ');
  return `Translates images from domain ${ways}, as ONNX models for images of any size, with a manifest and a patch by which every runtime checks itself.`;
}

function sampleSection(samples: readonly Sample[], real: boolean): string {
  const rows = samples.map(
    ({ direction, input, output }) => `| ${direction} | ![input](${input}) | ![output](${output}) |`,
  );
  const about = real ? '' : '\n\nThe inputs are synthetic: no pictures were at hand.';
  return `| | input | output |\n|---|---|---|\n${rows.join('\n')}${about}`;
}

function filesSection({ models, variants }: Manifest): string {
  const rows = models.map(
    (model) =>
      `| ${model.file} | ${model.precision} | ${megabytes(model)} | ${quality(model)} | ${speed(model)} |`,
  );
  const table = [
    '| file | precision | MB | PSNR to fp32, dB | speed to fp32 |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
  const others =
    variants.length === 0
      ? ''
      : `\n\nThe same models with other inputs and outputs:\n\n| file | precision | MB | takes |\n|---|---|---|---|\n${variants.map((variant) => `| ${variant.file} | ${variant.precision} | ${megabytes(variant)} | ${variantWords(variant)} |`).join('\n')}`;
  return `${table}${others}\n\nAny static file host can serve this folder: all names are plain, and nothing is computed by the server.`;
}

function megabytes({ bytes }: { bytes: number }): string {
  return (bytes / 1e6).toFixed(1);
}

function quality({ quality }: ModelEntry): string {
  if (!quality) return '';
  return `${quality.psnr.toFixed(1)} (worst ${quality.worst.toFixed(1)} of ${quality.images}, ${quality.of})`;
}

function speed({ speed }: ModelEntry): string {
  return speed
    .map(({ device, ratio, machine }) => `${ratio.toFixed(2)}× (${device}, ${text(machine)})`)
    .join(', ');
}

function variantWords({ io, layout, size, part }: VariantEntry): string {
  const words = [io === 'rgba8' ? "a canvas's bytes, RGBA" : `float32 ${layout}`];
  if (size) words.push(`${size.width}×${size.height} only`);
  if (part === 'statistics') words.push('gives the statistics for tiles');
  if (part === 'tile') words.push('takes the statistics beside a tile');
  return words.join(', ');
}

function useSection({ models }: Manifest): string {
  const [direction] = models.map((model) => model.direction);
  return [
    'In Node, with this folder as `bundle`:',
    '```js',
    "import { createTranslator } from '@cyclegan/runtime-node';",
    '',
    `const translator = await createTranslator('bundle', { direction: '${direction}' });`,
    "const image = await translator.translate('photo.jpg');",
    "await image.toFile('translated.png');",
    'await translator.dispose();',
    '```',
    '',
    'In a page, with this folder served at `/bundle/`:',
    '```js',
    "import { createTranslator } from '@cyclegan/runtime-web';",
    '',
    `const translator = await createTranslator('/bundle/', { direction: '${direction}' });`,
    "const image = await translator.translate(document.querySelector('img')); // ImageData",
    "const canvas = Object.assign(document.querySelector('canvas'), { width: image.width, height: image.height });",
    "canvas.getContext('2d').putImageData(image, 0, 0);",
    '```',
  ].join('\n');
}

function facts({ networks, training, provenance, models }: Manifest): string {
  const { generator } = networks;
  const lines = [
    `- Network: ${generator ? architecture(generator) : 'an imported one, not of the reference'}`,
  ];
  for (const { direction, input, output, sizeMultiple, minSize } of models.filter(isFirst)) {
    lines.push(
      `- ${direction}: ${channelWords(input.channels)} to ${channelWords(output.channels)}, sides of at least ${minSize} px and multiples of ${sizeMultiple}; runtimes pad and crop`,
    );
  }
  if (training) {
    const { steps, size, batch, seed, imagesA, imagesB } = training;
    lines.push(
      `- Training: ${steps} steps of ${batch} at ${size}×${size}, ${imagesA} images of A and ${imagesB} of B, seed ${seed}`,
    );
  }
  if (provenance) {
    lines.push(
      `- Weights from: ${sources[provenance.kind]} \`${provenance.name.replaceAll('`', "'")}\`, SHA-256 \`${provenance.sha256}\``,
    );
  }
  lines.push(...models.map(({ file, sha256 }) => `- SHA-256 of ${file}: \`${sha256}\``));
  return lines.join('\n');
}

const sources = {
  run: 'the training run',
  checkpoint: 'the checkpoint',
  pytorch: 'the PyTorch file',
  tfjs: 'the TensorFlow.js model',
  onnx: 'the ONNX file',
} as const;

function isFirst({ direction }: ModelEntry, at: number, models: readonly ModelEntry[]): boolean {
  return models.findIndex((model) => model.direction === direction) === at;
}

function channelWords(channels: 1 | 3): string {
  return channels === 1 ? 'grey' : 'colour';
}

function architecture(generator: GeneratorConfig): string {
  const { ngf, norm, upsample } = generator;
  const body =
    generator.kind === 'resnet'
      ? `ResNet of ${generator.blocks} blocks`
      : `U-Net of ${generator.downs} halvings`;
  const normWords = norm === 'none' ? 'no normalisation' : `${norm} normalisation`;
  return `${body}, ngf ${ngf}, ${normWords}, enlarged by ${upsample === 'transpose' ? 'transposed convolutions' : 'nearest neighbours and convolutions'}`;
}

/** As Markdown shows it, letter by letter and in one line. */
function text(value: string): string {
  return value.replaceAll(/[\\`*_{}[\]<>#|]/g, '\\$&').replaceAll(/\s+/g, ' ');
}
