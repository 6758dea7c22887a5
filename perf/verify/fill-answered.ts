import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import {
  brokerEpochs,
  copyDraft,
  type Draft,
  GROUPING,
  openBrokerEpoch,
  Producer,
} from '../../journal/index.js';
import { type Fault, FaultError } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import { formatNumber } from '../../text/numbers.js';

/** Of a command and of an event; a result has the event's in it and is larger. */
export const FILL_PAYLOAD_BYTES = 256;
const AGENTS = 10_000;
/** Commands that are answered together, as those of a burst are. */
const BURST = 5_000;

const or = <T>(outcome: Either<Fault, T>): T => {
  if (isLeft(outcome)) throw new FaultError(outcome.left);
  return outcome.right;
};

const padded = (value: Readonly<Record<string, unknown>>): object => {
  const empty = JSON.stringify({ ...value, note: '' }).length;
  return { ...value, note: 'x'.repeat(FILL_PAYLOAD_BYTES - empty) };
};

/** Appends all, in order; their sequences. */
const appendAll = (producer: Producer, drafts: readonly Draft[]): Promise<readonly number[]> =>
  new Promise((resolve, reject) => {
    const sequences: number[] = new Array(drafts.length);
    let left = drafts.length;
    for (const [index, draft] of drafts.entries()) {
      producer.submit(draft, (outcome) => {
        if (isLeft(outcome)) return reject(new FaultError(outcome.left));
        sequences[index] = outcome.right.seq;
        left -= 1;
        if (left === 0) resolve(sequences);
      });
    }
  });

/**
 * Fills a log with what a verification finds nothing wrong in: commands that the gateway recorded, their results, and
 * the event that each causes, of 10,000 agents, numbered and fenced. So many records or a few more.
 */
export const fillAnswered = async (
  nc: NatsConnection,
  records: number,
  say: (line: string) => void,
): Promise<number> => {
  const under = or(await openBrokerEpoch(nc)());
  const open = async (name: string, prefixes: readonly string[]): Promise<Producer> =>
    or(
      await Producer.open({
        nc,
        name,
        epochs: brokerEpochs({ nc, producer: name, under, prefixes }),
        grouping: GROUPING.os,
        onReplaced: (reason) => say(reason.message),
      })(),
    );
  const gateway = await open('gateway', ['cmd.']);
  const accounts = await open('accounts', ['res.accounts.', 'evt.accounts.']);
  const epochs = 5;
  const commands = Math.ceil(Math.max(1, records - epochs) / 3);
  const data = padded({ amount: 5 });
  const payload = encodeJson(data);
  const agentOf = (i: number): string => `a${i % AGENTS}`;
  for (let from = 0; from < commands; from += BURST) {
    const burst = Array.from({ length: Math.min(BURST, commands - from) }, (_, i) => from + i);
    const sent = burst.map((i) => ({ subject: `cmd.accounts.deposit.${agentOf(i)}.guest`, data: payload }));
    const sequences = await appendAll(gateway, sent);
    const outcomes = burst.flatMap((i, index) => {
      const cause = sequences[index] as number;
      const out = { subject: `evt.accounts.deposited.${agentOf(i)}`, id: `${cause}/1`, data };
      return [
        {
          subject: `res.accounts.deposit.${agentOf(i)}`,
          data: encodeJson({ status: 'ok', data: { balance: i }, out: [out] }),
          headers: { [HEADER.cause]: String(cause), [HEADER.conversation]: String(cause) },
        },
        copyDraft({ cause, conversation: cause, schema: '1', i: 1, n: 1, out: { ...out, data: payload } }),
      ];
    });
    await appendAll(accounts, outcomes);
    const done = Math.min(commands, from + BURST) * 3;
    if (done % (BURST * 60) === 0 || done === commands * 3)
      say(`filled ${formatNumber(done)} of ${formatNumber(commands * 3)}`);
  }
  await gateway.close();
  await accounts.close();
  return commands * 3 + epochs;
};
