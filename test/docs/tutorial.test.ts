import { after, before, describe, it } from 'node:test';
import { installPackage, openReader, type Reader, TUTORIAL_DOCUMENTS } from './follow-documents.js';

describe('the tutorial, in an empty directory with the packed package', () => {
  let reader: Reader;
  before(async () => {
    reader = await openReader(installPackage);
  });
  after(() => reader?.[Symbol.asyncDispose]());

  for (const document of TUTORIAL_DOCUMENTS) {
    it(`${document.path} shows what happens`, () => reader.follow(document));
  }

  it('the files that they show have types that are good', () => reader.checkTypes());
});
