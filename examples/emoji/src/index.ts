export { type DemoFacts, type DemoPageOptions, writeDemoPage } from './demo-page.js';
export { type EmojiSet, type RenderEmojiSetOptions, renderEmojiSet } from './emoji-set.js';
export { type EmojiPair, emojiPairs } from './icon-sets.js';
export { type MeasureDirectionOptions, measureDirection } from './measure.js';
export type { DemoDirection, DemoResult } from './scores.js';
