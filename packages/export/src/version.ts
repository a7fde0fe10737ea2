/** This tool as bundles name it. */
export const TOOL = 'cyclegan';

/** The version in this package's package.json; a test holds the two together. */
export const TOOL_VERSION = '0.1.0';
