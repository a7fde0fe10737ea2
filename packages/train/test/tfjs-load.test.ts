/** Which TensorFlow.js engine `tfjs` takes, and what it says when that is not the first choice. */
import { createRequire } from 'node:module';
import { createTfjsEngine, type Load } from '@cyclegan/train';
import { describe, expect, it } from 'vitest';
import { tinyEngine } from './engine-support.mjs';

const require = createRequire(import.meta.url);

/** Node's own `require`, for which some packages are not installed and others do not load. */
function loader(trouble: Readonly<Record<string, 'missing' | Error>>, asked: string[] = []): Load {
  return (name) => {
    asked.push(name);
    const found = trouble[name];
    if (found instanceof Error) throw found;
    return require(found ? `${name}/missing-for-this-test` : name);
  };
}

async function open(load: Load) {
  const notes: string[] = [];
  const engine = await createTfjsEngine({
    ...tinyEngine({ onNote: (note: string) => notes.push(note) }),
    load,
  });
  await engine.dispose();
  return { notes, device: engine.device };
}

describe('engine tfjs', () => {
  it('takes tfjs-node-gpu before tfjs-node before plain JavaScript, and says why', async () => {
    const asked: string[] = [];
    const noAddon = new Error(
      'The Node.js native addon module (tfjs_binding.node) can not be found at path: /x.\nRead more',
    );
    const { notes, device } = await open(
      loader({ '@tensorflow/tfjs-node-gpu': 'missing', '@tensorflow/tfjs-node': noAddon }, asked),
    );
    expect(asked).toEqual(['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node', '@tensorflow/tfjs']);
    expect(device).toBe('plain JavaScript');
    expect(notes).toEqual([
      '[train] engine tfjs: runs in plain JavaScript (@tensorflow/tfjs), as @tensorflow/tfjs-node-gpu is not installed and @tensorflow/tfjs-node has no native addon (its install script was not run).',
    ]);
  });

  it('keeps the reason of a package that is there and fails', async () => {
    const { notes } = await open(
      loader({
        '@tensorflow/tfjs-node-gpu': new Error('libcudart.so.11: cannot open.'),
        '@tensorflow/tfjs-node': 'missing',
      }),
    );
    expect(notes[0]).toContain('@tensorflow/tfjs-node-gpu failed (libcudart.so.11: cannot open)');
  });

  it('names the command where there is none', async () => {
    const none = loader({
      '@tensorflow/tfjs-node-gpu': 'missing',
      '@tensorflow/tfjs-node': 'missing',
      '@tensorflow/tfjs': 'missing',
    });
    await expect(open(none)).rejects.toMatchObject({
      code: 'device',
      message:
        '[train] engine tfjs: expected TensorFlow.js, got none, as @tensorflow/tfjs-node-gpu is not installed, @tensorflow/tfjs-node is not installed, @tensorflow/tfjs is not installed. Install it with: npm install @tensorflow/tfjs-node',
    });
  });

  it('refuses to recompute', async () => {
    await expect(createTfjsEngine(tinyEngine({ recompute: true }))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('expected engine ort'),
    });
  });
});
