import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import fc from 'fast-check';
import { headers, type NatsConnection } from 'nats';
import { LogIndex } from '../../../broker/index/log-index.js';
import { openBrokerEpoch } from '../../../journal/epochs/epoch.js';
import { readLog } from '../../../journal/read/reader.js';
import { startModule } from '../../../broker/supervisor/module-start.js';
import type { StartReply } from '../../../schemas/control.js';
import { HEADER } from '../../../schemas/headers.js';
import { LOG } from '../../../schemas/log.js';
import type { Manifest } from '../../../schemas/manifest.js';
import { causeOf } from '../../../schemas/record.js';
import { success } from '../../support/either.js';
import { fillLog } from '../../support/fill-log.js';
import { createLog, dial } from '../../support/log.js';
import { startServer, type TestServer } from '../../support/server.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { startReader } from '../../support/start-reader.js';

/** So many wait that a module must not read through them. */
const MANY = 1_500;

type Step =
  | { readonly kind: 'commands'; readonly count: number }
  /** Which of the open commands is answered, as a share of them. */
  | { readonly kind: 'result'; readonly which: number }
  | { readonly kind: 'event' }
  | { readonly kind: 'start' };

const step = (): fc.Arbitrary<Step> =>
  fc.oneof(
    fc.record({ kind: fc.constant('commands' as const), count: fc.integer({ min: 1, max: 40 }) }),
    fc.record({
      kind: fc.constant('result' as const),
      which: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
    fc.record({ kind: fc.constant('event' as const) }),
    fc.record({ kind: fc.constant('start' as const) }),
  );

const manifestOf = (name: string): Manifest => ({
  name,
  version: '1.0.0',
  description: 'A module of a test.',
  actions: { add: { input: true, output: true } },
  events: { added: { data: true } },
  start: { entry: './index.js' },
});

describe('what a module reads of its past', () => {
  let server: TestServer;
  let dir: TempDir;
  let nc: NatsConnection;
  let jsm: JetStreamManager;
  let index: LogIndex;
  let under: number;
  let modules = 0;

  before(async () => {
    server = await startServer({ name: 'own-past', syncInterval: '2m' });
    dir = tempDir();
    nc = await dial(server);
    await createLog(nc);
    jsm = await jetstreamManager(nc);
    under = success(await openBrokerEpoch(nc)());
    const { state } = await jsm.streams.info(LOG);
    index = new LogIndex({
      nc,
      reader: startReader(nc, state.last_seq),
      dir: join(dir.path, 'index'),
      logId: 'test',
      lastSeq: state.last_seq,
      say: () => undefined,
      onLost: ({ message }) => assert.fail(message),
    });
    await index.start();
  });
  after(async () => {
    await index?.close();
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const store = async (subject: string, stated: Record<string, string> = {}): Promise<number> => {
    const h = headers();
    for (const [key, value] of Object.entries(stated)) h.set(key, value);
    return (await jetstream(nc).publish(subject, '{}', { headers: h })).seq;
  };

  const commands = async (name: string, count: number): Promise<readonly number[]> => {
    await fillLog(nc, count, (i) => `cmd.${name}.add.a${i % 7}.guest`);
    const { state } = await jsm.streams.info(LOG);
    return Array.from({ length: count }, (_, i) => state.last_seq - count + 1 + i);
  };

  const start = async (name: string, snapshotSeq = 0): Promise<StartReply> => {
    const whole = { checked: () => Promise.resolve(undefined), isDamagedFrom: () => false };
    const context = { nc, jsm, under, logId: 'test', durability: 'os' as const, whole };
    return success(
      await startModule(context, index, manifestOf(name), { snapshotSeq, logId: 'test', instance: 'x' })(),
    );
  };

  /** What a module reads that does as the protocol says: which commands are answered, and its own other records. */
  const reads = async (name: string, { foldConsumer, foldRecords, resumeFrom, epoch }: StartReply) => {
    const { config } = await jsm.consumers.info(LOG, foldConsumer);
    const [answered, own] = [new Set<number>(), new Set<number>()];
    let left = foldRecords;
    if (left > 0) {
      const range = { filters: [`*.${name}.>`], fromSeq: config.opt_start_seq as number };
      for await (const message of readLog(nc, range)) {
        if (message.seq >= epoch) break;
        const cause = causeOf(message);
        if (message.subject.startsWith('res.') && cause !== undefined && cause >= resumeFrom)
          answered.add(cause);
        if (!message.subject.startsWith('cmd.')) own.add(message.seq);
        left -= 1;
        if (left === 0) break;
      }
    }
    return { answered, own };
  };

  it('is nothing where all that lies behind is commands that wait, however many', async () => {
    const never = `m${++modules}`;
    await commands(never, MANY);
    assert.equal((await start(never)).foldRecords, 0, 'it has never run');
    assert.equal((await start(never)).foldRecords, 0, 'it has answered nothing');
    const ran = `m${++modules}`;
    const [cause] = await commands(ran, 1);
    await start(ran);
    const stated = { [HEADER.cause]: String(cause), [HEADER.conversation]: String(cause) };
    const result = await store(`res.${ran}.add.a0`, stated);
    await commands(ran, MANY);
    assert.equal((await start(ran, result)).foldRecords, 0, 'its states are in its snapshots');
    assert.equal((await start(ran)).foldRecords, 1, 'its states are to be folded from the log');
  });

  it('I6 I3 has every result and event of it, and stops short of commands that wait at the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step(), { maxLength: 12 }),
        fc.array(step(), { maxLength: 6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (earlier, later, snapshot) => {
          const name = `m${++modules}`;
          const open: number[] = [];
          const results = new Map<number, number>();
          const own: number[] = [];
          let first = 0;
          const run = async (each: Step): Promise<void> => {
            if (each.kind === 'start') await start(name);
            else if (each.kind === 'event') own.push(await store(`evt.${name}.added.b`));
            else if (each.kind === 'commands') open.push(...(await commands(name, each.count)));
            else {
              const [cause] = open.splice(Math.floor(each.which * open.length), 1);
              if (cause === undefined) return;
              const stated = { [HEADER.cause]: String(cause), [HEADER.conversation]: String(cause) };
              const seq = await store(`res.${name}.add.a`, stated);
              results.set(cause, seq);
              own.push(seq);
            }
          };
          await run({ kind: 'start' });
          for (const each of earlier) await run(each);
          first = (await commands(name, MANY))[0] as number;
          open.push(...Array.from({ length: MANY }, (_, i) => first + i));
          for (const each of later) await run(each);
          const last = own.at(-1) ?? 0;
          const snapshotSeq = Math.floor(snapshot * last);
          const reply = await start(name, snapshotSeq);
          const read = await reads(name, reply);
          assert.equal(reply.resumeFrom, open[0]);
          const expected = [...results.keys()].filter((cause) => cause >= reply.resumeFrom);
          assert.deepEqual(
            [...read.answered].sort((a, b) => a - b),
            expected.sort((a, b) => a - b),
          );
          for (const seq of own)
            if (seq > snapshotSeq) assert.ok(read.own.has(seq), `record ${seq} is not read`);
          if (last < first) assert.ok(reply.foldRecords < MANY, `${reply.foldRecords} are read`);
        },
      ),
      { numRuns: 25 },
    );
  });
});
