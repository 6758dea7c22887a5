import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { wireOf } from '../../../journal/wire/stored-message.js';
import { LogMessage } from '../../../journal/wire/stored-message.js';
import type { WireRecord } from '../../../journal/wire/wire-record.js';
import { ShelfFile } from '../../../modules/host/shelf-file.js';
import { tempDir } from '../../support/temp-dir.js';

const MIB = 1024 * 1024;

const bytes = fc.uint8Array({ maxLength: 200 });
const aRecord = fc
  .record({
    seq: fc.integer({ min: 1, max: 2 ** 52 }),
    nanos: fc.nat(),
    token: fc.nat(),
    headers: bytes,
    data: bytes,
  })
  .map(({ seq, nanos, token, headers, data }) => {
    const message = { subject: `cmd.a.b.${token}`, data, _rdata: Buffer.concat([headers, data]) };
    return wireOf(new LogMessage(seq, String(nanos), message));
  });

const saidBy = (record: WireRecord): readonly unknown[] => [
  record.seq,
  record.nanos,
  record.subject,
  Buffer.from(record.headerBytes).toString('hex'),
  Buffer.from(record.data).toString('hex'),
];

describe('the files of what waits', () => {
  it('give each record back as it came, in any order, and keep no bytes of what was taken', async () => {
    const records = fc.array(aRecord, { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(records, fc.array(fc.nat(), { maxLength: 120 }), async (all, picks) => {
        await using dir = tempDir();
        const shelf = new ShelfFile(join(dir.path, 'waiting'), MIB);
        const put: { place: number; record: WireRecord }[] = [];
        const take = (pick: number): void => {
          const [taken] = put.splice(pick % put.length, 1);
          if (taken !== undefined) assert.deepEqual(saidBy(shelf.take(taken.place)), saidBy(taken.record));
        };
        const left = [...picks];
        for (const record of all) {
          put.push({ place: shelf.put(record) as number, record });
          const pick = left.pop();
          if (pick !== undefined && pick % 2 === 0) take(pick);
        }
        while (put.length > 0) take(left.pop() ?? 0);
        assert.equal(shelf.bytes, 0);
        assert.deepEqual(
          readdirSync(join(dir.path, 'waiting')),
          [],
          'a process that is killed leaves no file',
        );
        shelf.close();
      }),
      { numRuns: 50 },
    );
  });

  it('take no more than they may, and again once there is room; what the file system refuses is thrown', async () => {
    await using dir = tempDir();
    const record = wireOf(new LogMessage(1, '1', { subject: 'cmd.a.b.c', data: Buffer.alloc(1_000) }));
    const shelf = new ShelfFile(join(dir.path, 'waiting'), 2_500);
    const places = [shelf.put(record), shelf.put(record)];
    assert.equal(shelf.put(record), undefined);
    for (const place of places) shelf.take(place as number);
    assert.notEqual(shelf.put(record), undefined);
    shelf.close();
    writeFileSync(join(dir.path, 'file'), '');
    const refused = new ShelfFile(join(dir.path, 'file'), MIB);
    assert.throws(() => refused.put(record), { code: 'EEXIST' });
  });

  it('are many where much waits, and each is gone once all of it was taken', async () => {
    await using dir = tempDir();
    const shelf = new ShelfFile(dir.path, 100 * MIB);
    const large = (seq: number): WireRecord =>
      wireOf(new LogMessage(seq, '1', { subject: 'cmd.a.b.c', data: Buffer.alloc(MIB, seq) }));
    const places = Array.from({ length: 40 }, (_, i) => shelf.put(large(i + 1)) as number);
    let before = shelf.bytes;
    for (const [i, place] of places.entries()) {
      const record = shelf.take(place);
      assert.deepEqual([record.seq, record.data[0], record.data.at(-1)], [i + 1, i + 1, i + 1]);
      assert.ok(shelf.bytes <= before);
      before = shelf.bytes;
    }
    assert.equal(shelf.bytes, 0);
    shelf.close();
  });
});
