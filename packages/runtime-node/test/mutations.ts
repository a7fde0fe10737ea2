/** Damaged copies of a JSON value, the same for the same seed: fields that are gone, doubled, swapped, or of another kind. */

const STRANGE: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  0.5,
  1e308,
  2 ** 53,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '',
  '\u0000',
  '../../etc/passwd',
  '\u{1f600}',
  'x'.repeat(100_000),
  [],
  [[]],
  {},
  { toString: null, length: -1 },
  { __proto__: null, constructor: 'x' },
];

/** @param count copies; each has one to four places changed */
export function* mutations(value: unknown, count: number, seed: number): Generator<unknown> {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let i = 0; i < count; i += 1) {
    const copy = structuredClone(value);
    const changes = 1 + random(4);
    for (let change = 0; change < changes; change += 1) damage(copy, random);
    yield copy;
  }
}

/** Walks down to a random place and changes what is there. */
function damage(root: unknown, random: (below: number) => number): void {
  if (!isHolder(root)) return;
  let holder = root;
  for (;;) {
    const here = holder;
    const keys = Object.keys(here);
    const key = keys[random(keys.length)];
    if (key === undefined) return;
    const inner = here[key];
    if (isHolder(inner) && Object.keys(inner).length > 0 && random(4) > 0) {
      holder = inner;
      continue;
    }
    const other = keys[random(keys.length)] ?? key;
    const ways = [
      () => Reflect.deleteProperty(here, key),
      () => Reflect.set(here, key, structuredClone(here)),
      () => Reflect.set(here, key, here[other]),
      () => Reflect.set(here, key, STRANGE[random(STRANGE.length)]),
      () => Reflect.set(here, key, nudged(inner, random)),
    ];
    ways[random(ways.length)]?.();
    return;
  }
}

/** Of the same kind, and a little off. */
function nudged(value: unknown, random: (below: number) => number): unknown {
  if (typeof value === 'number') return value * ([-1, 1.5, 1000, 1e12][random(4)] ?? 1) + random(3);
  if (typeof value !== 'string') return value;
  const at = random(value.length + 1);
  return value.slice(0, at) + String.fromCodePoint(random(0x300)) + value.slice(at + random(3));
}

function isHolder(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
