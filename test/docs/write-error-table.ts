/** Writes the table of errors into docs/reference/protocol.md: `node dist/test/docs/write-error-table.js`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../support/project-root.js';
import { withErrorTable } from './error-table.js';

const path = join(PROJECT_ROOT, 'docs', 'reference', 'protocol.md');
writeFileSync(path, withErrorTable(readFileSync(path, 'utf8')));
