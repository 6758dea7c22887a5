import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../support/project-root.js';
import { sourceFiles } from './source-files.js';

/** What runs as a broker, a module's host or the command line: what strangers send reaches it. */
const ours = sourceFiles(PROJECT_ROOT).filter(({ path }) =>
  /^(?:system|link|journal|store|broker|modules|bin|replay|transfer)\//.test(path),
);

const matching = (pattern: RegExp): readonly string[] =>
  ours.filter(({ text }) => pattern.test(text)).map(({ path }) => path);

describe('what strangers send is read in one place', () => {
  it('only serve() subscribes to it: all others hear answers to what they asked, or the notices of the server', () => {
    assert.deepEqual(matching(/\bnc\.subscribe\(/).toSorted(), [
      'broker/log/open-log.ts',
      'broker/schedules/page.ts',
      'broker/serving/serve.ts',
      'journal/append/appender.ts',
      'journal/read/pull.ts',
      'journal/read/reader-session.ts',
      'journal/read/records-at.ts',
      'modules/host/cancels.ts',
      'modules/host/hear-again.ts',
    ]);
  });

  it('only the reader of headers asks the client for them', () => {
    const reads = /\b(?:msg|message|reply)\.headers\b|\.headers\?\.|\.requestInfo\(/;
    assert.deepEqual(matching(reads), ['link/message-headers.ts']);
  });

  it('only dial() connects, so that no message ends a connection', () => {
    assert.deepEqual(matching(/\bimport \{[^}]*\bconnect\b[^}]*\} from 'nats'/), ['link/dial.ts']);
  });
});

describe('what this machine is asked for', () => {
  it('a time limit is a limitedSignal(): one of the platform may be collected, and then never ends', () => {
    const made = sourceFiles(PROJECT_ROOT)
      .filter(({ path, text }) => !path.startsWith('test/') && /\bAbortSignal\.any\(/.test(text))
      .map(({ path }) => path);
    assert.deepEqual(made, []);
  });

  it('directories are made by makeDirs(), which always ends', () => {
    assert.deepEqual(matching(/\bmkdir(?:Sync)?\([^)]*recursive/), []);
  });

  it('text goes to a terminal through the few functions that make it harmless', () => {
    assert.deepEqual(matching(/process\.std(?:out|err)\.write\(/).toSorted(), [
      'bin/output/output-end.ts',
      'bin/output/output.ts',
      'link/callback-faults.ts',
      // The broker reads their lines, and writes them by its log.
      'modules/host/host-main.ts',
    ]);
  });
});
