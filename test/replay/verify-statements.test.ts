import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import {
  certify,
  checkCertificate,
  openSigningKey,
  type SigningKey,
  statementFor,
  type VerifyOptions,
  verifyLog,
} from '../../replay/index.js';
import { HEADER } from '../../schemas/headers.js';
import type { Verification } from '../../schemas/verification.js';
import { failure, success } from '../support/either.js';
import { ChangingProxy } from './changing-proxy.js';
import { type Copied, headerOf, removeAt, storeLog, subjectOf } from './log-copy.js';
import { expectFound, VerifiedSystem } from './verified-system.js';

describe('what is said about a log', () => {
  let system: VerifiedSystem;
  let log: readonly Copied[];
  let nc: NatsConnection;
  let live: NatsConnection;
  const verify = (options: Partial<VerifyOptions> = {}): Promise<Verification> => system.verify(options);

  before(async () => {
    system = await VerifiedSystem.start();
    ({ log, nc, live } = system);
  });
  after(() => system?.[Symbol.asyncDispose]());

  describe('a ledger', () => {
    const path = (): string => join(system.files.path, 'ledger.ndjson');
    const lines = (): string[] =>
      log.flatMap((record) => {
        const id = headerOf(record, HEADER.id);
        const subject = subjectOf(record);
        if (id !== undefined) return [JSON.stringify({ id, seq: record.seq })];
        if (subject?.kind !== 'cmd') return [];
        return [
          JSON.stringify({ seq: record.seq, subject: record.subject.slice(0, -`.${subject.sender}`.length) }),
        ];
      });
    const laid = async (text: readonly string[]): Promise<Verification> => {
      writeFileSync(path(), `${text.join('\n')}\n`);
      return verify({ ledger: path() });
    };

    before(() => storeLog(nc, log));

    test('is borne out by the log, in whatever order its lines come', async () => {
      const all = lines();
      const found = await laid(all.toReversed());
      assert.deepEqual(found.findings, []);
      assert.equal(found.ledger, all.length);
    });

    test('with a line that is not in the log is found out', async () => {
      const found = await laid([...lines(), `{"id":"guest~sensor-7.12.1","seq":${log.length + 9}}`]);
      const seq = log.length + 9;
      expectFound(found, {
        kind: 'missing',
        seq,
        producer: 'guest~sensor-7',
        says: /guest~sensor-7\.12\.1 is acknowledged at \d+, behind the end of the log at \d+ \(line \d+/,
      });
    });

    test('with a line about another record, or one that is said twice, is found out', async () => {
      const all = lines();
      const [first = ''] = all;
      const { id, seq } = JSON.parse(first) as { id: string; seq: number };
      const other = await laid(all.with(0, `{"id":"${id}9","seq":${seq}}`));
      expectFound(other, {
        kind: 'missing',
        seq,
        says: /is acknowledged at \d+, where .* stands with Tally-Id "[^"]+" \(line 1 /,
      });
      const twice = await laid([...all, first]);
      expectFound(twice, { kind: 'duplicated', seq, says: /is said twice to be acknowledged/ });
    });

    test('with a line that is none, or no file, is refused by its line and nothing is read', async () => {
      for (const line of ['{"id":"accounts.1.1"}', 'hello', '{"id":"no identity","seq":4}', '{"seq":4}']) {
        writeFileSync(path(), `${[...lines().slice(0, 3), line].join('\n')}\n`);
        const refused = failure(await verifyLog({ nc, ledger: path() })());
        assert.equal(refused.code, 'LEDGER_INVALID');
        assert.match(refused.message, /^line 4 of the ledger: /);
      }
      assert.equal(failure(await verifyLog({ nc, ledger: join(system.files.path, 'none') })()).code, 'USAGE');
    });
  });

  describe('a certificate', () => {
    let key: SigningKey;
    let text: string;
    const check = (changed: string, trusted = [key.publicKey]) => checkCertificate(changed, trusted);

    before(async () => {
      await storeLog(nc, log);
      key = success(openSigningKey(join(system.files.path, 'keys', 'own.key'), true)) ?? assert.fail();
      const { verification, segments } = success(await verifyLog({ nc })());
      text = JSON.stringify(certify(statementFor(verification, segments), key));
    });

    test('is borne out by the log that it is about, also when that has grown', async () => {
      const against = success(check(text));
      nc.publish('cmd.accounts.deposit.alice.guest', '{"amount":1}');
      await nc.flush();
      const found = await verify({ against });
      assert.deepEqual(found.findings, []);
      assert.equal(found.lastSeq, log.length);
      assert.equal(found.digest, against.digest);
    });

    test('finds an old record that is not what it was, and in which part of the log', async () => {
      const against = success(check(text));
      // Of what is on the wire, one letter of one payload: nothing but the digest can tell.
      const old = system.find('a deposit', ({ subject }) => subject.startsWith('cmd.accounts.deposit.'), 20);
      const at = old.subject;
      await using proxy = await ChangingProxy.start(system.server.port, at, `${at.slice(0, -1)}u`);
      const between = await connect({ servers: proxy.url });
      try {
        const found = success(await verifyLog({ nc: between, against, graceMs: 600_000 })()).verification;
        assert.ok(proxy.changed > 0);
        assert.ok(
          found.findings.some(
            ({ kind, detail }) =>
              kind === 'altered' && /^of 1 to \d+, at least one record is not what it was/.test(detail),
          ),
        );
      } finally {
        await between.close();
      }
    });

    test('finds that records behind its beginning are gone', async () => {
      const against = success(check(text));
      await removeAt(nc, 30);
      const found = await verify({ against });
      assert.ok(found.findings.some(({ kind, seq }) => kind === 'missing' && seq === 30));
      assert.ok(
        found.findings.some(
          ({ kind, detail }) => kind === 'altered' && detail.includes('records where the certificate'),
        ),
      );
    });

    test('that was tampered with, is of another log, or is signed by somebody else is refused', async () => {
      const changed = text.replace(/records\\":\d/, (found) => `${found}0`);
      assert.notEqual(changed, text);
      assert.equal(failure(check(changed)).code, 'CERTIFICATE_INVALID');
      assert.equal(failure(check('{"statement":"x"}')).code, 'CERTIFICATE_INVALID');
      assert.equal(failure(check('no json')).code, 'CERTIFICATE_INVALID');
      const other =
        success(openSigningKey(join(system.files.path, 'keys', 'other.key'), true)) ?? assert.fail();
      assert.equal(failure(check(text, [other.publicKey])).code, 'CERTIFICATE_UNTRUSTED');
      assert.equal(failure(check(text, [])).code, 'CERTIFICATE_UNTRUSTED');
      const against = success(check(text));
      const elsewhere = failure(await verifyLog({ nc: live, against })());
      assert.equal(elsewhere.code, 'LOG_REPLACED');
      assert.equal(failure(await verifyLog({ nc, against, from: 3 })()).code, 'USAGE');
    });
  });
});
