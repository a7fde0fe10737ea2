/** Which network a dictionary of tensors is, and, where it is none that is known, what is in the way. */
import { type Architecture, type Candidate, candidates, type Shapes } from './architectures.js';
import { listed } from './errors.js';
import type { TensorView } from './values.js';

/** How well an architecture describes some tensors. */
export interface Fit {
  readonly architecture: Architecture;
  /** Its parameters and buffers by name; of those that are not there none. */
  readonly views: ReadonlyMap<string, TensorView>;
  /** Names that it has and the tensors have not. */
  readonly missing: readonly string[];
  /** `name of [sizes] instead of [sizes]` */
  readonly otherShape: readonly string[];
  /** Names that it has not. */
  readonly unexpected: readonly string[];
}

/** How many names do not fit. */
export function misfits({ missing, otherShape, unexpected }: Fit): number {
  return missing.length + otherShape.length + unexpected.length;
}

/** The generator and the discriminator that describe the tensors best. */
export function nearest(
  tensors: ReadonlyMap<string, TensorView>,
): Readonly<Record<Architecture['role'], Fit>> {
  const shapes: Shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
  const fits = candidates(shapes).map((candidate) => fitOf(candidate, tensors));
  const best = (role: Architecture['role']) =>
    fits
      .filter(({ architecture }) => architecture.role === role)
      .reduce((least, fit) => (misfits(fit) < misfits(least) ? fit : least));
  return { generator: best('generator'), discriminator: best('discriminator') };
}

function fitOf(
  { architecture, expected, ignored }: Candidate,
  tensors: ReadonlyMap<string, TensorView>,
): Fit {
  const views = new Map<string, TensorView>();
  const missing: string[] = [];
  const otherShape: string[] = [];
  for (const [name, shape] of expected) {
    const view = tensors.get(name);
    if (!view) missing.push(name);
    else if (view.shape.join() === shape.join()) views.set(name, view);
    else otherShape.push(`${name} of [${view.shape.join(', ')}] instead of [${shape.join(', ')}]`);
  }
  const unexpected = [...tensors.keys()].filter((name) => !expected.has(name) && !ignored.has(name));
  return { architecture, views, missing, otherShape, unexpected };
}

/** `a resnet generator (9 blocks, ngf 64, instance norm, 3 to 3 channels)` */
export function describe(architecture: Architecture): string {
  if (architecture.role === 'discriminator') {
    const { config, inputChannels } = architecture;
    const facts = [
      ...(config.kind === 'patch' ? [`${config.layers} layers`] : []),
      `ndf ${config.ndf}`,
      normOf(config),
      `${inputChannels} channels`,
    ];
    return `a ${config.kind} discriminator (${facts.join(', ')})`;
  }
  const { config, affine } = architecture;
  const facts = [
    config.kind === 'resnet' ? `${config.blocks} blocks` : `${config.downs} downs`,
    `ngf ${config.ngf}`,
    `${normOf(config)}${affine.length > 0 ? ' with weights' : ''}`,
    ...(config.dropout ? ['dropout'] : []),
    ...(config.upsample === 'resize' ? ['resizing'] : []),
    `${config.inputChannels} to ${config.outputChannels} channels`,
  ];
  return `a ${config.kind} generator (${facts.join(', ')})`;
}

function normOf({ norm }: Architecture['config']): string {
  return norm === 'none' ? 'no norm' : `${norm} norm`;
}

/** What does not fit, name by name, up to ten of each kind. */
export function describeMisfits({ missing, otherShape, unexpected }: Fit): string {
  const part = (what: string, names: readonly string[]) =>
    names.length > 0 ? [`${what} ${listed(names)}`] : [];
  return [
    ...part('without', missing),
    ...part('with', otherShape),
    ...part('with the unknown', unexpected),
  ].join(', and ');
}
