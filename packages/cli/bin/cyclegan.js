#!/usr/bin/env node
// The command itself; everything else is in the built package.
import { main } from '../dist/main.js';

// Whoever reads may stop reading (`| head -1`): that ends no training, and needs no stack.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await main(process.argv.slice(2));
