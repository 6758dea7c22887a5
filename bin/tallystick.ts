#!/usr/bin/env node
import { main } from './main.js';
import { endWhenWritten } from './output/output-end.js';

await main();
// A socket that still dials a dead address would keep the process alive for as long as the system tries.
endWhenWritten();
