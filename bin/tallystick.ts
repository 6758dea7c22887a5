#!/usr/bin/env node
import { main } from './main.js';
import { endWhenWritten } from './output/output-end.js';

await main();
// A socket that still dials an address where nobody answers would hold the process for as long as the system tries.
endWhenWritten();
