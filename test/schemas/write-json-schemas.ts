import { mkdir, writeFile } from 'node:fs/promises';
import { jsonSchemaFiles } from '../../schemas/json-schemas.js';
import { publishedSchemas } from './published-schemas.js';

// Run by hand after a change of the types: `node dist/test/schemas/write-json-schemas.js`, then `npm run format`.
await mkdir(publishedSchemas, { recursive: true });
for (const [name, text] of jsonSchemaFiles()) await writeFile(new URL(name, publishedSchemas), text);
