import { isLeft } from 'fp-ts/lib/Either.js';
import { nuid } from 'nats';
import { GROUPING, Producer, requestedEpochs } from '../../../journal/index.js';
import { authenticatorOf } from '../../../link/nkey.js';
import { dial } from '../../../link/dial.js';
import { connect } from '../../../modules/client/index.js';
import type { CalledModule } from '../../../modules/sdk/addressed.js';
import { FaultError } from '../../../schemas/errors.js';
import { type BenchModule, plainAction } from '../../bench/bench-module.js';
import type { Handle, RecordReader, RecordWriter } from './log-client.js';

const EVENT = 'appended';

const manifest = {
  name: 'bench',
  version: '1.0.0',
  description: 'Has events that a program writes.',
  actions: { nothing: plainAction() },
  events: {
    [EVENT]: {
      data: {
        type: 'object',
        properties: { at: { type: 'number' }, pad: { type: 'string' } },
        required: ['at', 'pad'],
      },
    },
  },
  start: { entry: './index.js' },
};

/** It has an action, so its host waits for commands and does not follow the events. */
export const LOG_MODULE: BenchModule = {
  manifest,
  code: `
const nothing = () => ({ _tag: 'Right', right: { data: {}, events: [] } });
export default { manifest, initial: {}, actions: { nothing: { decide: nothing } }, evolve: {} };
`,
};

/** Whose events are written, and where the next one goes. */
interface WrittenEvents {
  readonly module: string;
  readonly subjectAt: (written: number) => string;
}

const OF_LOG: WrittenEvents = {
  module: manifest.name,
  subjectAt: () => `evt.${manifest.name}.${EVENT}.a`,
};

/** A producer of the journal, as programs open it that a broker trusts with the events of a module. */
export const openTallystickWriter = async (
  url: string,
  seed: string,
  { module, subjectAt }: WrittenEvents = OF_LOG,
): Promise<RecordWriter> => {
  const nc = await dial({ servers: url, redialMs: 1_000, authenticator: authenticatorOf(seed) });
  const name = 'writer';
  const opened = await Producer.open({
    nc,
    name,
    epochs: requestedEpochs({ nc, name, instance: nuid.next(), account: module }),
    // The first epoch brings the log's own.
    grouping: GROUPING.fsync,
    onReplaced: (reason) => {
      throw new FaultError(reason);
    },
  })();
  if (isLeft(opened)) throw new FaultError(opened.left);
  const producer = opened.right;
  let written = 0;
  return {
    append: (records) =>
      new Promise((resolve, reject) => {
        let left = records.length;
        for (const data of records)
          producer.submit({ subject: subjectAt(written++), data }, (outcome) => {
            if (isLeft(outcome)) return reject(new FaultError(outcome.left));
            left -= 1;
            if (left === 0) resolve();
          });
      }),
    close: async () => {
      await producer.close();
      await nc.close();
    },
  };
};

/** A subscription whose position the broker keeps. The loop acknowledges each event by its next turn. */
export const openTallystickReader = async (data: string, handle: Handle): Promise<RecordReader> => {
  const tally = await connect({ data });
  const module = { manifest } as unknown as CalledModule;
  const events = tally.subscribe(module, EVENT as never, { durable: 'reader', from: 'start' });
  await events.opened;
  const loop = (async (): Promise<void> => {
    for await (const event of events) handle(((event as { data: unknown }).data as { at: number }).at);
  })();
  return {
    close: async () => {
      await events.close();
      await loop;
      await tally.close();
    },
  };
};
