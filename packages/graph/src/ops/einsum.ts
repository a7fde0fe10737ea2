/** Einstein summation, written with letters: `nchw,oc->nohw`. An ellipsis is refused. No gradient. */
import { agreedDim, type Dim } from '../dim.js';
import type { Value } from '../graph.js';
import { defineOp } from '../op-definition.js';
import { checkSameType } from './access.js';

/** Letters that two inputs share are summed over, unless the result names them. */
export const Einsum = defineOp({
  name: 'Einsum',
  arity: [1, Number.POSITIVE_INFINITY],
  attributes: { equation: 'string' },
  infer: (context) => {
    const { inputs, attributes, fail } = context;
    checkSameType(context);
    const equation = (attributes.equation ?? '').replaceAll(' ', '');
    const [, left = '', right] =
      /^([A-Za-z]*(?:,[A-Za-z]*)*)(?:->([A-Za-z]*))?$/.exec(equation) ??
      fail(`expected an equation of letters, got "${attributes.equation}"`);
    const terms = left.split(',');
    if (terms.length !== inputs.length) fail(`expected ${inputs.length} terms, got ${terms.length}`);
    const sizes = new Map<string, Dim>();
    terms.forEach((term, i) => {
      const { shape } = inputs[i] as Value;
      if (term.length !== shape.length) fail(`expected ${shape.length} letters, got "${term}"`);
      [...term].forEach((letter, axis) => {
        const dim = shape[axis] ?? 1;
        const known = sizes.get(letter) ?? dim;
        const agreed = known === 1 ? dim : dim === 1 ? known : agreedDim(known, dim);
        sizes.set(letter, agreed ?? fail(`expected one size for "${letter}"`));
      });
    });
    const letters = terms.join('');
    // Without a result named: the letters that stand once, in the alphabet's order.
    const once = [...letters].filter((letter) => letters.split(letter).length === 2).sort();
    const result = right === undefined ? once : [...right];
    const shape = result.map(
      (letter) => sizes.get(letter) ?? fail(`expected "${letter}" among the inputs' letters`),
    );
    return [{ dtype: (inputs[0] as Value).dtype, shape }];
  },
});
