import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import type { Draft, Producer } from '../../journal/index.js';
import { logEnds } from '../../journal/read/reader-api.js';
import { FaultError } from '../../schemas/errors.js';
import { encodeJson } from '../../schemas/json.js';
import { agentNamed, MODULE } from './stores/population.js';
import { pause } from '../../system/async/pause.js';
import { formatNumber } from '../../text/numbers.js';

/** Records on their way at most, while the log is filled. */
const PENDING = 50_000;

const AMOUNT = { amount: 1 };

/** What a deposit leaves in the log: the command, its result with the event in it, and the event's copy. */
const recordsOf = (agent: string, balance: number, cause: number): readonly Draft[] => {
  const headers = { 'Tally-Cause': String(cause), 'Tally-Conversation': String(cause) };
  const out = [{ subject: `evt.${MODULE}.deposited.${agent}`, id: `${cause}/1`, data: AMOUNT }];
  return [
    { subject: `cmd.${MODULE}.deposit.${agent}.guest`, data: encodeJson(AMOUNT) },
    {
      subject: `res.${MODULE}.deposit.${agent}`,
      data: encodeJson({ status: 'ok', data: { balance }, out }),
      headers,
    },
    {
      subject: `evt.${MODULE}.deposited.${agent}`,
      data: encodeJson(AMOUNT),
      headers: { ...headers, 'Tally-Part': '1/1' },
    },
  ];
};

/** Fills a log without another writer with so many deposits, agent by agent in turn: three records each. */
export const fillDeposits = async (
  nc: NatsConnection,
  producer: Producer,
  events: number,
  agents: number,
  say: (line: string) => void,
): Promise<void> => {
  let failure: FaultError | undefined;
  const ends = await logEnds({ nc, prefix: '$JS.API' });
  if (isLeft(ends)) throw new FaultError(ends.left.fault);
  const first = ends.right.lastSeq + 1;
  for (let n = 0; n < events; n++) {
    // Three records each, and no other writer: the sequence of the command is known before.
    for (const draft of recordsOf(agentNamed(n % agents), Math.floor(n / agents) + 1, first + 3 * n)) {
      producer.submit(draft, (outcome) => {
        if (isLeft(outcome)) failure ??= new FaultError(outcome.left);
      });
    }
    while (producer.pending > PENDING) await new Promise((resume) => setImmediate(resume));
    if (failure !== undefined) throw failure;
    if ((n + 1) % 250_000 === 0) say(`${formatNumber(n + 1)} events are in the log`);
  }
  while (producer.pending > 0) await pause(5);
  if (failure !== undefined) throw failure;
};
