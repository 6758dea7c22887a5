import { after, before, describe, it } from 'node:test';
import { OTHER_DOCUMENTS, openReader, type Reader } from './follow-documents.js';

describe('the commands that documents show', () => {
  let reader: Reader;
  before(async () => {
    reader = await openReader();
  });
  after(() => reader?.[Symbol.asyncDispose]());

  for (const document of OTHER_DOCUMENTS) {
    it(`${document.path} shows what happens`, () => reader.follow(document));
  }

  it('the files that they show have types that are good', () => reader.checkTypes());
});
