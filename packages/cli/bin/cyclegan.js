#!/usr/bin/env node
// The command itself; everything else is in the built package.
import { main } from '../dist/main.js';

process.exitCode = await main(process.argv.slice(2));
