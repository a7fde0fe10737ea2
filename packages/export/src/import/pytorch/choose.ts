/** Which of the networks in a file is meant, by the caller's choice or because no other fits. */
import type { CycleganError, Direction } from '@cyclegan/runtime-core';
import type { Architecture } from './architectures.js';
import { listed, refused, SAVE_WEIGHTS, short, wrongChoice } from './errors.js';
import { describe, describeMisfits, type Fit, misfits, nearest } from './recognise.js';
import type { StateDict } from './state-dicts.js';

export interface Choice {
  /** The network's name in the file: `netG_A`; or what it ends in. Default: the only one that fits. */
  readonly key?: string | undefined;
  /** Of several generators, that whose name says so: `G_A` leads from A to B. */
  readonly direction?: Direction | undefined;
}

/** A network of a file, recognised. */
export interface Recognised {
  /** Empty where the file holds nothing around it. */
  readonly name: string;
  readonly fit: Fit;
}

/** All networks of a training program, with room for averages of them. */
const MAX_NETWORKS = 64;

/**
 * @param found all that the file holds
 * @param role what it is to be
 * @throws CycleganError `bundle` when none fits, saying key by key what is wrong with the nearest; `usage` when several
 * do, or none has the name that the caller chose
 */
export function choose(
  found: readonly StateDict[],
  role: Architecture['role'],
  { key, direction }: Choice,
  path: string,
): Recognised {
  if (found.length === 0 || found.length > MAX_NETWORKS) {
    const got = found.length === 0 ? 'none' : `${found.length}`;
    throw refused(path, `one to ${MAX_NETWORKS} networks’ weights by name`, got, SAVE_WEIGHTS);
  }
  const named = key === undefined ? found : found.filter(({ name }) => `.${name}`.endsWith(`.${key}`));
  if (named.length === 0) {
    throw wrongChoice(path, `a network "${key}"`, namesOf(found), 'Choose one of them by its key.');
  }
  const known = named.map(({ name, tensors }) => ({ name, fits: nearest(tensors) }));
  const fitting = known
    .filter(({ fits }) => misfits(fits[role]) === 0)
    .map(({ name, fits }) => ({ name, fit: fits[role] }));
  const wanted = fitting.length > 1 && direction !== undefined ? inDirection(fitting, direction) : fitting;
  const [first, ...others] = wanted;
  if (first && others.length === 0) return first;
  if (fitting.length > 0) {
    const which = `one ${role}${direction === undefined ? '' : ` from ${direction}`}`;
    throw wrongChoice(path, which, namesOf(fitting), 'Choose one of them by its key.');
  }
  const other = role === 'generator' ? 'discriminator' : 'generator';
  const unknown = known.filter(({ fits }) => misfits(fits[other]) > 0);
  if (unknown.length === 0) throw otherRole(known[0]?.fits[other], role, path);
  const closest = unknown.reduce((best, each) => {
    return misfits(each.fits[role]) < misfits(best.fits[role]) ? each : best;
  });
  throw misfit(closest.name, closest.fits[role], path);
}

const letters = { generator: 'net_G', discriminator: 'net_D' };

/** What a name says of a generator: `netG_A`, `latest_net_G_A`, `genA2B` and `G_AB` go from A to B. */
export function directionOf(name: string): Direction | null {
  const letter = /(?:^|[^a-z]|net)g(?:en(?:erator)?)?_?([ab])(?:(?:2|_?to_?)?[ab])?$/i
    .exec(name)?.[1]
    ?.toUpperCase();
  if (letter === undefined) return null;
  return letter === 'A' ? 'AtoB' : 'BtoA';
}

function inDirection(fitting: readonly Recognised[], direction: Direction): Recognised[] {
  return fitting.filter(({ name }) => directionOf(name) === direction);
}

function namesOf(networks: readonly { readonly name: string }[]): string {
  return listed(networks.map(({ name }) => (name ? `"${name}"` : 'one without a name')));
}

function otherRole(fit: Fit | undefined, role: Architecture['role'], path: string): CycleganError {
  const got = fit ? describe(fit.architecture) : 'none';
  const fix = `Take the file of a ${role}, whose name usually has ${letters[role]}.`;
  return refused(path, `a ${role}`, got, fix);
}

function misfit(name: string, fit: Fit, path: string): CycleganError {
  // What shares no key with any of them is near to none.
  const nearest = fit.views.size > 0 ? `, of which ${describe(fit.architecture)} is the nearest` : '';
  const wrong = fit.views.size > 0 ? describeMisfits(fit) : `with the unknown ${listed(fit.unexpected)}`;
  return refused(
    path,
    `a network of the reference${nearest}`,
    `${name ? `"${short(name)}"` : 'one'} ${wrong}`,
    'Other architectures cannot be read; convert them to ONNX with PyTorch.',
  );
}
