export { type ReportServer, type ServeReportOptions, serveReport } from './serve-report.js';
