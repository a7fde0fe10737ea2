/** Fluent emoji as unpaired data sets with known answers, and the demo that shows the whole line on them. */
export { type DemoSummary, type RunDemoOptions, runDemo } from './demo.js';
export { type DemoFacts, type DemoPageOptions, writeDemoPage } from './demo-page.js';
export { type EmojiSet, type RenderEmojiSetOptions, renderEmojiSet } from './emoji-set.js';
export { type EmojiPair, emojiPairs } from './icon-sets.js';
export { type MeasureDirectionOptions, measureDirection } from './measure.js';
export type { DemoDirection, DemoResult } from './scores.js';
