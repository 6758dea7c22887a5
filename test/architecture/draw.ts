/** Draws docs/internals/architecture.md: `node dist/test/architecture/draw.js`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../support/project-root.js';
import { drawings, withDrawings } from './drawing.js';
import { packageJson, sourceFiles } from './source-files.js';

const path = join(PROJECT_ROOT, 'docs', 'internals', 'architecture.md');
const text = drawings(sourceFiles(PROJECT_ROOT), packageJson(PROJECT_ROOT));
writeFileSync(path, withDrawings(readFileSync(path, 'utf8'), text));
