/** The lint rule as a program: `node dist/test/architecture/check-imports.js [ROOT]`. */
import { PROJECT_ROOT } from '../support/project-root.js';
import { importViolations } from './imports.js';
import { packageJson, sourceFiles, userFiles } from './source-files.js';

const root = process.argv[2] ?? PROJECT_ROOT;
const violations = importViolations([...sourceFiles(root), ...userFiles(root)], packageJson(root));
for (const { path, line, message } of violations) process.stderr.write(`${path}:${line} ${message}\n`);
process.exitCode = violations.length === 0 ? 0 : 1;
