// Builds @tensorflow/tfjs-node's addon against the TensorFlow library inside PyPI's tensorflow-cpu wheel, for machines
// where tfjs-node's own downloads cannot be had. Linux on x64; wants Python with pip, make, g++ and 1.5 GB of disk.
//
//     node scripts/build-tfjs-node.mjs FOLDER [--tensorflow 2.15.1] [--python python3]
//
// What it builds is used by: NODE_PATH=FOLDER/node_modules npx cyclegan train --engine tfjs …
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tensorflow: { type: 'string', default: '2.15.1' },
    python: { type: 'string', default: 'python3' },
  },
});
const [given] = positionals;
if (!given || process.platform !== 'linux' || process.arch !== 'x64') {
  console.error(
    `[build-tfjs-node] expected a folder to build in, on Linux x64, got ${given ?? 'none'} on ${process.platform} ${process.arch}.`,
  );
  process.exit(2);
}
const folder = resolve(given);
const tfjsNode = join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
const wheel = join(folder, `tensorflow-${values.tensorflow}`);
// The version that tfjs-node 4.22 asks for by its file's name.
const expectedVersion = '2.9.1';

/** Runs a command in the folder with its output shown, or ends the process. */
function run(what, command, args, env = {}) {
  console.error(`[build-tfjs-node] ${what}`);
  const { status, error } = spawnSync(command, args, {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...env },
  });
  if (error || status !== 0) {
    console.error(`[build-tfjs-node] ${what} failed: ${error?.message ?? `exit status ${status}`}.`);
    process.exit(1);
  }
}

/** Puts the wheel's library and headers where tfjs-node's binding.gyp and install script look for them. */
function layOut() {
  const deps = join(tfjsNode, 'deps');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, 'lib'), { recursive: true });
  symlinkSync(join(wheel, 'tensorflow', 'include'), join(deps, 'include'));
  const libraries = {
    'libtensorflow_cc.so.2': [
      'libtensorflow_cc.so.2',
      'libtensorflow.so',
      `libtensorflow.so.${expectedVersion}`,
    ],
    'libtensorflow_framework.so.2': ['libtensorflow_framework.so.2', 'libtensorflow_framework.so'],
  };
  for (const [file, names] of Object.entries(libraries)) {
    for (const name of names) symlinkSync(join(wheel, 'tensorflow', file), join(deps, 'lib', name));
  }
  // With a library of one's own, and no addon, the install script compiles.
  writeFileSync(join(tfjsNode, 'scripts', 'custom-binary.json'), '{ "tf-lib": "local" }\n');
}

mkdirSync(folder, { recursive: true });
if (!existsSync(join(folder, 'package.json'))) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
}
run('install @tensorflow/tfjs-node without its addon', 'npm', [
  'install',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '@tensorflow/tfjs-node@4.22.0',
]);
if (!existsSync(join(wheel, 'tensorflow', 'libtensorflow_cc.so.2'))) {
  run(`fetch tensorflow-cpu ${values.tensorflow} from PyPI`, values.python, [
    ...['-m', 'pip', 'install', '--no-deps', '--upgrade', '--target', wheel],
    // The wheel of any Python will do: nothing in it is run by Python.
    ...['--only-binary=:all:', '--python-version', '3.11'],
    ...['--platform', 'manylinux_2_17_x86_64', '--platform', 'manylinux_2_27_x86_64'],
    `tensorflow-cpu==${values.tensorflow}`,
  ]);
}
layOut();
const prefix = dirname(dirname(process.execPath));
const headers = existsSync(join(prefix, 'include', 'node', 'node_api.h'))
  ? { npm_config_nodedir: prefix }
  : {};
run('compile the addon', 'npm', ['rebuild', '@tensorflow/tfjs-node'], headers);
process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
const tf = createRequire(join(folder, 'package.json'))('@tensorflow/tfjs-node');
const [sum] = tf.sum(tf.conv2d(tf.ones([1, 4, 4, 1]), tf.ones([3, 3, 1, 1]), 1, 'valid')).dataSync();
if (sum !== 36) throw new Error(`internal: a convolution of ones gave ${sum} instead of 36`);
console.log(`NODE_PATH=${join(folder, 'node_modules')}`);
