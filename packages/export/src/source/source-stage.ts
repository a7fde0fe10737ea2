/**
 * The stages before a bundle's first file, behind a bundle's interface: the source itself, run by what it was made for,
 * and the graph that was imported from it, before anything is optimised.
 */
import { writeOnnx } from '@cyclegan/graph';
import type { Tensor } from '@cyclegan/model';
import { type ValueRange, withBundleInterface } from '../bundle/model-interface.js';
import type { Imported } from '../import/imported.js';
import { withSession } from '../ort/session.js';

/** [N, C, H, W] on [-1, 1], in and out. */
export type Answer = (image: Tensor) => Promise<Tensor>;

/**
 * Opens the source, lends it to `use` and frees it.
 * @param range the values of black and white that the source itself takes and gives
 * @throws what the source's own runtime throws
 */
export async function withSource<T>(
  imported: Imported,
  range: ValueRange,
  use: (answer: Answer, what: string) => Promise<T>,
): Promise<T> {
  const reference = await imported.openReference();
  const [black, white] = range;
  const scale = (white - black) / 2;
  const middle = (white + black) / 2;
  try {
    return await use(async ({ shape, data }) => {
      const answer = await reference.run({ shape, data: data.map((value) => value * scale + middle) });
      return { shape: answer.shape, data: answer.data.map((value) => (value - middle) / scale) };
    }, reference.what);
  } finally {
    await reference.dispose();
  }
}

/** As {@link withSource}, for the imported graph, run node by node. */
export function withImportedGraph<T>(
  imported: Imported,
  range: ValueRange,
  use: (answer: Answer) => Promise<T>,
): Promise<T> {
  const graph = withBundleInterface(imported.graph, range);
  const input = graph.inputs[0]?.name ?? '';
  return withSession(writeOnnx(graph), 'disabled', (run) => use((image) => run(new Map([[input, image]]))));
}

/** Whether a source, which may be of one size alone, takes an image of this shape. */
export function takes({ graph }: Imported, shape: readonly number[]): boolean {
  return (graph.inputs[0]?.shape ?? []).every((dim, axis) => typeof dim !== 'number' || dim === shape[axis]);
}
