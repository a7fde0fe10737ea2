/**
 * The smallest cut between a source and a sink, by Dinic's algorithm: which of two sides each vertex takes so that the
 * edges from the first side to the second weigh least. Knows nothing of graphs of operators.
 */

/** Of vertices made by `vertex`; an edge from the source's side to the sink's costs its weight. */
export class CutNetwork {
  readonly source = 0;
  readonly sink = 1;
  #vertices = 2;
  readonly #heads: number[] = [];
  readonly #room: number[] = [];
  /** By vertex the edges that leave it; an edge's reverse is its neighbour, edge ^ 1. */
  readonly #leaving: number[][] = [[], []];

  vertex(): number {
    this.#leaving.push([]);
    return this.#vertices++;
  }

  edge(from: number, to: number, weight: number): void {
    this.#leaving[from]?.push(this.#heads.length);
    this.#leaving[to]?.push(this.#heads.length + 1);
    this.#heads.push(to, from);
    this.#room.push(weight, 0);
  }

  /** Vertices on the sink's side of a smallest cut; of several cuts the one with the fewest there. */
  sinkSide(): ReadonlySet<number> {
    for (let levels = this.#levels(); levels[this.sink] !== undefined; levels = this.#levels()) {
      this.#fill(levels);
    }
    const side = new Set([this.sink]);
    const open = [this.sink];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const edge of this.#leaving[at] ?? []) {
        const before = this.#heads[edge] ?? 0;
        if ((this.#room[edge ^ 1] ?? 0) <= 0 || side.has(before)) continue;
        side.add(before);
        open.push(before);
      }
    }
    return side;
  }

  /** How many edges with room lie between the source and each vertex. */
  #levels(): (number | undefined)[] {
    const levels: (number | undefined)[] = new Array(this.#vertices).fill(undefined);
    levels[this.source] = 0;
    let open = [this.source];
    for (let level = 1; open.length > 0; level++) {
      const next: number[] = [];
      for (const edge of open.flatMap((at) => this.#leaving[at] ?? [])) {
        const to = this.#heads[edge] ?? 0;
        if ((this.#room[edge] ?? 0) <= 0 || levels[to] !== undefined) continue;
        levels[to] = level;
        next.push(to);
      }
      open = next;
    }
    return levels;
  }

  /** Sends all that the levels let through, path by path. */
  #fill(levels: readonly (number | undefined)[]): void {
    const tried = this.#leaving.map(() => 0);
    const path: number[] = [];
    for (let at = this.source; ; ) {
      if (at === this.sink) {
        const least = path.reduce(
          (room, edge) => Math.min(room, this.#room[edge] ?? 0),
          Number.POSITIVE_INFINITY,
        );
        for (const edge of path) this.#send(edge, least);
        path.length = 0;
        at = this.source;
        continue;
      }
      const edge = this.#leaving[at]?.[tried[at] ?? 0];
      if (edge === undefined) {
        const back = path.pop();
        if (back === undefined) return;
        at = this.#heads[back ^ 1] ?? 0;
        tried[at] = (tried[at] ?? 0) + 1;
      } else if ((this.#room[edge] ?? 0) > 0 && levels[this.#heads[edge] ?? 0] === (levels[at] ?? 0) + 1) {
        path.push(edge);
        at = this.#heads[edge] ?? 0;
      } else {
        tried[at] = (tried[at] ?? 0) + 1;
      }
    }
  }

  #send(edge: number, amount: number): void {
    this.#room[edge] = (this.#room[edge] ?? 0) - amount;
    this.#room[edge ^ 1] = (this.#room[edge ^ 1] ?? 0) + amount;
  }
}
