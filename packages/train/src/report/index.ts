export { escapeHtml, htmlPage, imageDataUri } from './html.js';
export { lossCharts } from './loss-charts.js';
export { type MetricsLine, readMetrics } from './metrics-log.js';
export { duration, writeReport } from './run-report.js';
export { listSamples, type Sample, sampleSlider } from './sample-slider.js';
export { SAMPLE_COLUMNS, type SamplesPngOptions, samplesPng } from './samples-png.js';
