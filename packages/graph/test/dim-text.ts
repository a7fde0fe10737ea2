/** What the text of a dimension (`2*floor((H+1)/2)`) is for given sizes: read as anyone would read it. No tests. */
import { type Dim, formatDim } from '@cyclegan/graph';

const functions: Record<string, (...args: number[]) => number> = {
  floor: Math.floor,
  min: Math.min,
  max: Math.max,
  mod: (a, b) => ((a % b) + b) % b,
};

/** @param symbols a number for each symbol; those that stand for a whole text come before what is in it */
export function evaluateDim(dim: Dim, symbols: Readonly<Record<string, number>>): number {
  const tokens = formatDim(dim).match(/\d+(\.\d+)?|\w[\w.]*|[-+*/(),]/g) ?? [];
  const take = (token?: string) => {
    const next = tokens.shift();
    if (next === undefined || (token && next !== token)) throw new Error(`${formatDim(dim)}: no ${token}`);
    return next;
  };
  const sum = (): number => {
    let value = product();
    while (tokens[0] === '+' || tokens[0] === '-') value += take() === '+' ? product() : -product();
    return value;
  };
  const product = (): number => {
    let value = atom();
    while (tokens[0] === '*' || tokens[0] === '/') value = take() === '*' ? value * atom() : value / atom();
    return value;
  };
  const list = (): number[] => {
    const values = [sum()];
    while (tokens[0] === ',') {
      take(',');
      values.push(sum());
    }
    take(')');
    return values;
  };
  const atom = (): number => {
    const token = take();
    if (token === '-') return -atom();
    if (token === '(') return list()[0] ?? Number.NaN;
    if (/^\d/.test(token)) return Number(token);
    if (tokens[0] !== '(') return symbols[token] ?? Number.NaN;
    take('(');
    return functions[token]?.(...list()) ?? Number.NaN;
  };
  const value = sum();
  if (tokens.length > 0) throw new Error(`${formatDim(dim)}: ${tokens.join(' ')} left over`);
  return value;
}
