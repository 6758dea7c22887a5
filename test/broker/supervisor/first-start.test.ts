import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import fc from 'fast-check';
import { headers, type NatsConnection } from 'nats';
import { LogIndex } from '../../../broker/index/log-index.js';
import { openBrokerEpoch } from '../../../journal/epochs/epoch.js';
import { type ModuleEpoch, openModuleEpoch } from '../../../broker/supervisor/module-start.js';
import { HEADER } from '../../../schemas/headers.js';
import type { Manifest } from '../../../schemas/manifest.js';
import { success } from '../../support/either.js';
import { createLog, dial } from '../../support/log.js';
import { startServer, type TestServer } from '../../support/server.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { startReader } from '../../support/start-reader.js';

const OTHERS = 1_000;
/** Records that a start reads for itself, and answers of the server. */
const FEW = 100;

/** What happens to a module before its next start. */
type Step =
  | { readonly kind: 'others'; readonly count: number }
  /** A result that promises so many copies, of which those are stored that are named here. */
  | { readonly kind: 'outcome'; readonly copies: number; readonly stored: readonly number[] }
  | { readonly kind: 'event' }
  | { readonly kind: 'start' }
  /** The broker ends; `anew`: its index is lost. */
  | { readonly kind: 'restart'; readonly anew: boolean };

const step = (): fc.Arbitrary<Step> =>
  fc.oneof(
    fc.record({ kind: fc.constant('others' as const), count: fc.integer({ min: 1, max: 50 }) }),
    fc.tuple(fc.integer({ min: 0, max: 4 }), fc.subarray([1, 2, 3, 4])).map(([copies, some]) => ({
      kind: 'outcome' as const,
      copies,
      stored: some.filter((i) => i <= copies),
    })),
    fc.record({ kind: fc.constant('event' as const) }),
    fc.record({ kind: fc.constant('start' as const) }),
    fc.record({ kind: fc.constant('restart' as const), anew: fc.boolean() }),
  );

const manifestOf = (name: string, isHosted: boolean): Manifest => ({
  name,
  version: '1.0.0',
  description: 'A module of a test.',
  actions: { add: { input: true, output: true } },
  events: { added: { data: true } },
  start: isHosted ? { entry: './index.js' } : { command: ['true'] },
});

describe('the start of a module', () => {
  let server: TestServer;
  let dir: TempDir;
  let nc: NatsConnection;
  /** The repair alone reads by it. */
  let repairing: NatsConnection;
  let js: JetStreamClient;
  let jsm: JetStreamManager;
  let under: number;
  let index: LogIndex;
  let indexes = 0;
  let modules = 0;
  let last = 0;

  const openIndex = async (): Promise<void> => {
    const { state } = await jsm.streams.info('LOG');
    index = new LogIndex({
      nc,
      reader: startReader(nc, state.last_seq),
      dir: join(dir.path, `index-${indexes}`),
      logId: 'test',
      lastSeq: state.last_seq,
      say: () => undefined,
      onLost: ({ message }) => assert.fail(message),
    });
    await index.start();
  };

  const store = async (
    subject: string,
    data: unknown = {},
    stated: Record<string, string> = {},
  ): Promise<number> => {
    const h = headers();
    for (const [key, value] of Object.entries(stated)) h.set(key, value);
    last = (await js.publish(subject, JSON.stringify(data), { headers: h })).seq;
    return last;
  };

  const others = async (count: number): Promise<void> => {
    const sent = Array.from({ length: count }, (_, i) => js.publish(`cmd.other.x.a${i % 99}.guest`, '{}'));
    await Promise.all(sent);
  };

  /** Opens an epoch of the module; how much of the log that read, in messages to this connection. */
  const start = async (manifest: Manifest): Promise<ModuleEpoch & { readonly read: number }> => {
    const whole = { checked: () => Promise.resolve(undefined), isDamagedFrom: () => false };
    const context = { nc: repairing, jsm, under, logId: 'test', durability: 'os' as const, whole };
    const before = repairing.stats().inMsgs;
    const epoch = success(await openModuleEpoch(context, index, manifest)());
    return { ...epoch, read: repairing.stats().inMsgs - before };
  };

  before(async () => {
    server = await startServer({ name: 'first-start' });
    dir = tempDir();
    nc = await dial(server);
    repairing = await dial(server);
    await createLog(nc);
    js = jetstream(nc);
    jsm = await jetstreamManager(nc);
    under = success(await openBrokerEpoch(nc)());
    await openIndex();
    await others(OTHERS);
  });
  after(async () => {
    await index?.close();
    await Promise.all([nc?.close(), repairing?.close()]);
    await server?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  it('reads nothing of what others have in the log, however much, and however often it starts', async () => {
    for (const isHosted of [true, false]) {
      const manifest = manifestOf(`quiet-${isHosted}`, isHosted);
      for (let i = 0; i < 3; i++) {
        // Commands that wait for it are no records of its own.
        await store(`cmd.${manifest.name}.add.a.guest`);
        await others(OTHERS);
        const { read, republished } = await start(manifest);
        assert.equal(republished, 0);
        assert.ok(read < FEW, `${read} records were read`);
      }
    }
  });

  it('I4 stores each copy that is missing, once, whatever came before it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(step(), { maxLength: 14 }), async (isHosted, steps) => {
        const manifest = manifestOf(`m${++modules}`, isHosted);
        const { name } = manifest;
        let missing = 0;
        let hasStarted = false;
        let firstBehind = Number.POSITIVE_INFINITY;
        const starts = async (): Promise<void> => {
          const { republished, read, fence } = await start(manifest);
          assert.equal(republished, missing);
          const own = Math.max(0, fence - firstBehind);
          assert.ok(read <= own + FEW, `${read} records were read, ${own} lie behind its first one`);
          // What the repair itself stored lies behind the fence.
          firstBehind = republished > 0 ? fence : Number.POSITIVE_INFINITY;
          missing = 0;
          hasStarted = true;
        };
        for (const each of [...steps, { kind: 'start' as const }]) {
          if (each.kind === 'others') await others(each.count);
          else if (each.kind === 'start') await starts();
          else if (each.kind === 'event')
            firstBehind = Math.min(firstBehind, await store(`evt.${name}.added.b`));
          else if (each.kind === 'restart') {
            await index.close();
            if (each.anew) {
              indexes += 1;
              // It knows of no repair any more: all of the module's records are looked through.
              firstBehind = 0;
            }
            await openIndex();
          } else {
            // Without an epoch of its own nobody but the broker answers for it.
            if (!hasStarted) await starts();
            const cause = await store(`cmd.${name}.add.a.guest`);
            const out = Array.from({ length: each.copies }, (_, i) => ({
              subject: `evt.${name}.added.a`,
              id: `${cause}/${i + 1}`,
              data: { i },
            }));
            const stated = { [HEADER.cause]: String(cause), [HEADER.conversation]: String(cause) };
            firstBehind = Math.min(
              firstBehind,
              await store(`res.${name}.add.a`, { status: 'ok', data: 1, out }, stated),
            );
            for (const i of each.stored) {
              const part = { [HEADER.part]: `${i}/${each.copies}` };
              await store(`evt.${name}.added.a`, { i: i - 1 }, { ...stated, ...part });
            }
            missing += each.copies - each.stored.length;
          }
        }
      }),
      { numRuns: 12 },
    );
  });
});
