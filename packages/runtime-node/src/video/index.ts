/** Videos, where ffmpeg is installed. */
export { isVideo, videoExtension } from './containers.js';
export { ffmpegInstallCommand, probeVideoTools, type VideoTools } from './ffmpeg.js';
export {
  DEFAULT_SMOOTHING,
  type TranslatedVideo,
  type TranslateVideoOptions,
  translateVideo,
  type VideoProgress,
} from './translate-video.js';
