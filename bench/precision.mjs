/**
 * One generator in all its precisions on this machine's CPU, in one process, turn by turn: time against float32, size
 * of the file, and PSNR against float32 on images. Without --source the weights are random, and PSNR means little.
 *
 *     node bench/precision.mjs [--source RUN|BUNDLE] [--images DIR] [--direction AtoB] [--size 256] [--rounds 7]
 *                              [--calibrate 16] [--evaluate 8] [--method percentile] [--target 35] [--table]
 *
 * --images: a folder with trainA, testA, trainB and testB, or of images; default: the emoji set, drawn anew.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderEmojiSet } from '@cyclegan/example-emoji';
import { exportBundle, generatorGraph, quantize, toFp16 } from '@cyclegan/export';
import { readOnnx, writeOnnx } from '@cyclegan/graph';
import { cycleganNetworks, initialWeights, namedParameters, networksSchema } from '@cyclegan/model';
import { toPlanes } from '@cyclegan/runtime-core';
import { readPixels } from '@cyclegan/runtime-node';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';

const option = (value) => ({ type: 'string', default: value });
const { values } = parseArgs({
  options: {
    source: { type: 'string' },
    images: { type: 'string' },
    direction: option('AtoB'),
    size: option('256'),
    rounds: option('7'),
    calibrate: option('16'),
    evaluate: option('8'),
    method: option('percentile'),
    target: option('35'),
    table: { type: 'boolean', default: false },
  },
});
const { source, direction, method } = values;
const [size, rounds, calibrate, evaluate, psnrTarget] = [
  values.size,
  values.rounds,
  values.calibrate,
  values.evaluate,
  values.target,
].map(Number);
const from = direction === 'AtoB' ? 'A' : 'B';
const folder = mkdtempSync(join(tmpdir(), 'cyclegan-bench-'));
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Of the reference's full size, as training begins. */
function randomGraph() {
  const networks = networksSchema.parse({
    generator: { kind: 'resnet', blocks: 9, ngf: 64, inputChannels: 3, outputChannels: 3 },
    discriminator: { kind: 'patch', ndf: 64, layers: 3 },
  });
  const parameters = namedParameters(cycleganNetworks(networks), ['G_A', 'G_B']);
  const flat = initialWeights(parameters, 1, { type: 'normal', gain: 0.02 });
  let at = 0;
  const weights = parameters.map(({ name, shape }) => {
    const length = shape.reduce((product, dim) => product * dim, 1);
    at += length;
    return [name, { shape, data: flat.slice(at - length, at) }];
  });
  return generatorGraph({ config: networks.generator, weights: new Map(weights), direction });
}

async function trainedGraph() {
  const isBundle = readdirSync(source).includes('manifest.json');
  const bundle = isBundle ? source : join(folder, 'bundle');
  if (!isBundle) await exportBundle({ source, out: bundle, direction });
  return readOnnx(readFileSync(join(bundle, `${direction}.fp32.onnx`))).graph;
}

/** So many images of a folder, spread over it, scaled to the size and as the model takes them. */
async function load(dir, count, channels) {
  const files = readdirSync(dir)
    .filter((name) => /\.(png|jpe?g|webp)$/i.test(name))
    .sort();
  const some = Array.from({ length: Math.min(count, files.length) }, (_, i) => {
    return files[Math.floor((i * files.length) / Math.min(count, files.length))];
  });
  const images = [];
  for (const name of some) {
    const scaled = sharp(join(dir, name))
      .flatten({ background: '#fff' })
      .resize(size, size, { fit: 'cover' });
    const { width, height, data } = toPlanes(await readPixels(scaled), channels);
    images.push({ shape: [1, channels, height, width], data });
  }
  return images;
}

/** Opens all models, answers all images with each, then times them on the first, turn by turn. */
async function race(models, images, input) {
  const tensors = images.map(({ shape, data }) => new Tensor('float32', data, shape));
  const open = [];
  for (const { name, bytes } of models) {
    const session = await InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      logSeverityLevel: 4,
    });
    const run = async (image) => Object.values(await session.run({ [input]: image }))[0].data;
    const answers = [];
    for (const image of tensors) answers.push(await run(image));
    open.push({ name, bytes, session, run, answers, times: [] });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { run, times } of open) {
      const started = performance.now();
      await run(tensors[0]);
      times.push(performance.now() - started);
    }
  }
  for (const { session } of open) await session.release();
  return open;
}

function psnr(expected, got) {
  const squares = expected.reduce((sum, value, i) => sum + (value - got[i]) ** 2, 0);
  return Math.min(150, 10 * Math.log10(4 / (squares / expected.length)));
}

try {
  const graph = source ? await trainedGraph() : randomGraph();
  const [{ name: input, shape }] = graph.inputs;
  const sets = values.images ?? join(folder, 'icons');
  if (!values.images) await renderEmojiSet({ pair: 'colour-ink', out: sets, size });
  const has = (name) => readdirSync(sets).includes(name);
  const [train, test] = ['train', 'test'].map((part) => (has(part + from) ? join(sets, part + from) : sets));
  const calibration = await load(train, calibrate, shape[1]);
  const held = await load(test, 2 * evaluate, shape[1]);
  // The choice of convolutions is made on other images than it is judged on here.
  const [chooseOn, judgeOn] = [0, 1].map((part) => held.filter((_, i) => i % 2 === part));

  const quantized = await quantize(graph, { calibration, evaluation: chooseOn, method, psnrTarget });
  const models = [
    { name: 'fp32', bytes: writeOnnx(graph) },
    ...['weights', 'full'].map((mode) => ({
      name: mode === 'full' ? 'fp16' : 'fp16-weights',
      bytes: writeOnnx(toFp16(graph, { mode }).graph),
    })),
    { name: 'int8', bytes: writeOnnx(quantized.graph) },
  ];
  const raced = await race(models, judgeOn, input);
  const [fp32] = raced;

  console.log(
    `${source ?? 'random weights, whose PSNR means little'}; ${direction}, ${size}x${size}, ${judgeOn.length} images, medians of ${rounds} rounds; ${cpus()[0]?.model}, ${availableParallelism()} threads\n`,
  );
  console.log('| precision | ms | speed against fp32 | file, % of fp32 | PSNR, dB | worst image, dB |');
  console.log('|---|---|---|---|---|---|');
  for (const { name, bytes, times, answers } of raced) {
    const ratio = median(times.map((time, i) => fp32.times[i] / time));
    const errors = answers.map((answer, i) => psnr(fp32.answers[i], answer));
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    const near = name === 'fp32' ? ['', ''] : [mean, Math.min(...errors)].map((error) => error.toFixed(1));
    const share = (100 * bytes.length) / fp32.bytes.length;
    console.log(
      `| ${name} | ${median(times).toFixed(0)} | ${ratio.toFixed(2)}x | ${share.toFixed(1)} | ${near.join(' | ')} |`,
    );
  }
  const { convolutions } = quantized.report;
  const kept = convolutions.filter(({ precision }) => precision === 'int8');
  console.log(
    `\n${kept.length} of ${convolutions.length} convolutions on integers (${method}, ${calibrate} images).`,
  );
  if (values.table) {
    console.log('\n| convolution | weights | share of work | alone, dB | precision |');
    console.log('|---|---|---|---|---|');
    for (const { name, weights, share, psnr: alone, precision, reason } of convolutions) {
      const cells = [name, weights.join('×'), `${(100 * share).toFixed(1)} %`, alone?.toFixed(1) ?? ''];
      console.log(`| ${[...cells, `${precision}${reason ? `, ${reason}` : ''}`].join(' | ')} |`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
