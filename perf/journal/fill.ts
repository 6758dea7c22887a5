import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { brokerEpochs, GROUPING, openBrokerEpoch, Producer, type Settle } from '../../journal/index.js';
import { FaultError } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { formatNumber } from '../../text/numbers.js';

/** What the figures in docs/reference/benchmarks.md are for. */
export const PAYLOAD_BYTES = 256;
const AGENTS = 10_000;
const GROUP = 20_000;

const payload = (): Uint8Array => {
  const empty = JSON.stringify({ status: 'ok', data: '' });
  return new TextEncoder().encode(
    JSON.stringify({ status: 'ok', data: 'x'.repeat(PAYLOAD_BYTES - empty.length) }),
  );
};

/**
 * Fills a log as modules do: results and events of 10,000 agents, or of so many, {@link PAYLOAD_BYTES} each, with
 * identity, schema version, fence, cause and conversation.
 */
export const fillLog = async (
  nc: NatsConnection,
  records: number,
  say: (line: string) => void,
  agents = AGENTS,
): Promise<void> => {
  const under = await openBrokerEpoch(nc)();
  if (isLeft(under)) throw new FaultError(under.left);
  const opened = await Producer.open({
    nc,
    name: 'accounts',
    epochs: brokerEpochs({
      nc,
      producer: 'accounts',
      under: under.right,
      prefixes: ['res.accounts.', 'evt.accounts.'],
    }),
    grouping: GROUPING.os,
    onReplaced: (reason) => say(reason.message),
  })();
  if (isLeft(opened)) throw new FaultError(opened.left);
  const producer = opened.right;
  const data = payload();
  const append = (i: number, settle: Settle): void => {
    const agent = `a${i % agents}`;
    const cause = String(i + 1);
    const subject = i % 2 === 0 ? `res.accounts.deposit.${agent}` : `evt.accounts.deposited.${agent}`;
    producer.submit(
      { subject, data, headers: { [HEADER.cause]: cause, [HEADER.conversation]: cause } },
      settle,
    );
  };
  for (let from = 0; from < records; from += GROUP) {
    const to = Math.min(records, from + GROUP);
    await new Promise<void>((resolve, reject) => {
      let left = to - from;
      for (let i = from; i < to; i++) {
        append(i, (outcome) => {
          left -= 1;
          if (isLeft(outcome)) reject(new FaultError(outcome.left));
          else if (left === 0) resolve();
        });
      }
    });
    if (to % (GROUP * 10) === 0 || to === records)
      say(`filled ${formatNumber(to)} of ${formatNumber(records)}`);
  }
  await producer.close();
};
