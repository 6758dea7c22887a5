import { after, before, describe, it } from 'node:test';
import { BURST_DOCUMENTS, openReader, type Reader } from './follow-documents.js';

describe('the commands that the document of bursts shows', () => {
  let reader: Reader;
  before(async () => {
    reader = await openReader();
  });
  after(() => reader?.[Symbol.asyncDispose]());

  for (const document of BURST_DOCUMENTS) {
    it(`${document.path} shows what happens`, () => reader.follow(document));
  }
});
