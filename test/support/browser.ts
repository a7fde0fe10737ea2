/** The Chromium that tests drive: the system's, else Playwright's own. */
import { findBrowser } from '../../scripts/test-tools.mjs';

/** Its path, or undefined when there is none: the tests that need it are then skipped, aloud. */
export const browserPath: string | undefined = findBrowser();

if (browserPath === undefined) console.warn('SKIPPED tests that need a browser: no Chromium was found.');
