import { after, before, describe, it } from 'node:test';
import { inDeep } from '../support/form.js';
import { OTHER_DOCUMENTS, openReader, type Reader } from './follow-documents.js';

/** What a reader begins with, and what names commands of the broker. `npm run test:deep` follows all documents. */
const FIRST = new Set([
  'README.md',
  'docs/guides/operate.md',
  'docs/guides/http.md',
  'docs/guides/write-a-module.md',
]);
const itInDeep = inDeep(it);

describe('the commands that documents show', () => {
  let reader: Reader;
  before(async () => {
    reader = await openReader();
  });
  after(() => reader?.[Symbol.asyncDispose]());

  for (const document of OTHER_DOCUMENTS) {
    (FIRST.has(document.path) ? it : itInDeep)(`${document.path} shows what happens`, () =>
      reader.follow(document),
    );
  }

  itInDeep('the files that they show have types that are good', () => reader.checkTypes());
});
