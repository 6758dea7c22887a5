/** `npm run api`: writes the reports of the public API, the names in docs/reference/api.md, and pages to `dist/api/`. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../support/project-root.js';
import { tempDir } from '../support/temp-dir.js';
import { API_PAGE, withNames } from './api-names.js';
import { API_REPORTS, extractApi, REPORT_SUFFIX, writeReference } from './public-api.js';

const reference = join(PROJECT_ROOT, 'dist', 'api');

await using dir = tempDir();
const reports = extractApi(dir.path);
for (const each of [API_REPORTS, reference]) {
  rmSync(each, { recursive: true, force: true });
  mkdirSync(each, { recursive: true });
}
for (const [entry, report] of reports) writeFileSync(join(API_REPORTS, `${entry}${REPORT_SUFFIX}`), report);
writeFileSync(API_PAGE, withNames(readFileSync(API_PAGE, 'utf8'), dir.path));
await writeReference(dir.path, reference);
process.stdout.write(`reports: ${API_REPORTS}\nreference: ${join(reference, 'index.md')}\n`);
