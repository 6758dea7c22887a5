#!/usr/bin/env node
import { compiledCode } from './compiled-code.js';

const { runCommandLine } =
  compiledCode<typeof import('./command-line.js')>() ?? (await import('./command-line.js'));
await runCommandLine();
