/** Writes the generated parts of docs/reference: `node dist/test/docs/write-references.js`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../support/project-root.js';
import { GENERATED, withGenerated } from './generated.js';

for (const name of GENERATED) {
  const path = join(PROJECT_ROOT, name);
  writeFileSync(path, await withGenerated(name, readFileSync(path, 'utf8')));
}
