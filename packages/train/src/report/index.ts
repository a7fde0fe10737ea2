export { escapeHtml, htmlPage, imageDataUri } from './html.js';
export { lossCharts } from './loss-charts.js';
export {
  type EvaluationLine,
  isEvaluation,
  isMetrics,
  type LogLine,
  type MetricsLine,
  readLog,
  readMetrics,
} from './metrics-log.js';
export { writeReport } from './run-report.js';
export { sampleSlider } from './sample-slider.js';
export { listSamples, type Sample } from './samples.js';
export { SAMPLE_COLUMNS, type SamplesPngOptions, samplesPng } from './samples-png.js';
export { duration } from './words.js';
