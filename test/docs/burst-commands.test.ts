import { after, before, describe, it } from 'node:test';
import { LOAD_DOCUMENTS, openReader, type Reader } from './follow-documents.js';

describe('the commands that the documents of loads show', () => {
  let reader: Reader;
  before(async () => {
    reader = await openReader();
  });
  after(() => reader?.[Symbol.asyncDispose]());

  for (const document of LOAD_DOCUMENTS) {
    it(`${document.path} shows what happens`, () => reader.follow(document));
  }
});
