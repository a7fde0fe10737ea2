/**
 * The statistics of a model's InstanceNormalizations: what they are, and how those of an image's parts become the
 * image's. Runs nothing: a {@link TileSession} does, of the pair of graphs that `cyclegan export` writes for tiles.
 *
 * They are float32 [2 × C]: the means and then the biased variances of all normalised channels, layer after layer.
 */
import type { Planes, Region } from './pixels.js';

/** The pair of graphs for tiles, as a runtime opened it. */
export interface TileSession {
  /**
   * What an image is normalised by when it is normalised by itself: [2 × C].
   * @param correction [2 × C], added to the means and multiplied with the variances before each layer is normalised by
   * them: of an image that stands for a larger one
   */
  statistics(image: Planes, correction?: Float32Array): Promise<Float32Array>;
  /**
   * Runs a tile, or a whole image, normalised by the statistics given.
   * @param core the part of the tile whose own statistics are returned
   * @returns also the statistics [2 × C] that the core has itself, under that normalisation
   */
  run(
    tile: Planes,
    statistics: Float32Array,
    core: Region,
  ): Promise<{ planes: Planes; statistics: Float32Array }>;
}

/** The statistics of parts taken together, each part counted by its weight: what one normalisation of all would see. */
export interface StatisticsPool {
  /** @param weight above 0; of parts of one image, the pixels that each stands for */
  add(statistics: Float32Array, weight: number): void;
  /** Of what was added so far; means of means, and variances of the parts and of their means. Null before the first. */
  result(): Float32Array | null;
}

export function createStatisticsPool(): StatisticsPool {
  let total = 0;
  // Of each channel the mean, then the sum of weighted squares about it.
  let sums = new Float64Array();

  return {
    add(statistics, weight) {
      if (total === 0) sums = new Float64Array(statistics.length);
      const before = total;
      total += weight;
      const half = sums.length / 2;
      for (let channel = 0; channel < half; channel += 1) {
        const mean = sums[channel] ?? 0;
        const delta = (statistics[channel] ?? 0) - mean;
        sums[channel] = mean + (delta * weight) / total;
        const between = (delta * delta * before * weight) / total;
        sums[half + channel] =
          (sums[half + channel] ?? 0) + weight * (statistics[half + channel] ?? 0) + between;
      }
    },
    result() {
      if (total === 0) return null;
      const half = sums.length / 2;
      return Float32Array.from(sums, (value, i) => (i < half ? value : value / total));
    },
  };
}
