import { API_PREFIX } from '../../../schemas/control.js';
import type { Seeded } from '../../support/seeded.js';
import { headerBlock, headersOf, noHeaderBlock } from '../generate/header-block.js';
import { oddText } from '../generate/odd-text.js';
import { bodyOf, payload } from '../generate/payload.js';
import type { Family, Known, RequestInput } from '../input.js';

/** The module that gives its credential away; see test/broker/access/loot.ts. */
export const MALLORY = 'mallory';

type Made = Pick<RequestInput, 'kind' | 'subject' | 'payload'> & {
  readonly headers?: Buffer | undefined;
  readonly promised?: boolean;
};
type Maker = (random: Seeded, known: Known) => Made;

const AGENTS = ['x', 'y', 'alice'] as const;

const sequence = (random: Seeded, { lastSeq }: Known): number =>
  random.next() < 0.9
    ? random.int(Math.max(1, lastSeq - 3_000), Math.max(1, lastSeq))
    : random.pick([0, -1, 2 ** 53]);

const OUT = [
  `evt.${MALLORY}.seen.x`,
  `evt.${MALLORY}.seen`,
  'evt.accounts.deposited.eve',
  'cmd.accounts.balance.x',
  'cmd.accounts.deposit.eve',
  'cmd.accounts.credit.eve',
  `cmd.${MALLORY}.act.x`,
  'epoch.accounts',
  'live.res.accounts.deposit.x',
  '$JS.API.STREAM.PURGE.LOG',
  'constructor',
] as const;

const out = (random: Seeded, known: Known): unknown =>
  Array.from({ length: random.int(0, 3) }, (_, i) => ({
    subject: random.next() < 0.9 ? random.pick(OUT) : oddText(random),
    id: random.next() < 0.8 ? `${sequence(random, known)}/${i + 1}` : oddText(random),
    data: random.pick([{ amount: 5 }, 1, 'x', null, { __proto__: 1 }]),
  }));

/** What the broker reads of a result: cause, conversation, how often it was tried, its version, who wrote it. */
const resultHeaders = (random: Seeded, known: Known): Buffer => {
  const cause = sequence(random, known);
  return headersOf({
    'Tally-Cause': String(random.next() < 0.9 ? cause : oddText(random)),
    ...(random.next() < 0.5
      ? { 'Tally-Conversation': String(random.next() < 0.8 ? cause : oddText(random)) }
      : {}),
    ...(random.next() < 0.3 ? { 'Tally-Dead': random.pick(['1', '0', '-1', '1e9', oddText(random)]) } : {}),
    ...(random.next() < 0.3 ? { 'Tally-Schema': random.pick(['1', '2', '65536', oddText(random)]) } : {}),
    ...(random.next() < 0.3
      ? { 'Tally-Part': random.pick(['1/1', '2/1', '1/999999999', oddText(random)]) }
      : {}),
    ...(random.next() < 0.4
      ? {
          'Tally-Id': `${random.pick([MALLORY, 'accounts', 'gateway', 'constructor'])}.${sequence(random, known)}.${random.int(1, 50)}`,
        }
      : {}),
  });
};

const result: Maker = (random, known) => ({
  kind: 'res',
  subject: `res.${MALLORY}.act.${random.pick(AGENTS)}`,
  headers: random.next() < 0.7 ? resultHeaders(random, known) : noHeaderBlock(random, known),
  payload: bodyOf(random, {
    status: () => random.pick(['ok', 'ok', 'ok', 'failed', 'rejected', 'expired', 'done']),
    data: () => random.pick([{}, 1, null, 'x']),
    out: () => out(random, known),
    error: () => ({
      code: random.pick(['HANDLER_THREW', 'X', 'constructor', oddText(random)]),
      message: oddText(random),
      retryable: random.pick([true, false, 1]),
      attempts: random.pick([1, 0, 1e9]),
      stack: oddText(random),
    }),
  }),
});

const event: Maker = (random, known) => ({
  kind: 'evt',
  subject: `evt.${MALLORY}.${random.pick(['seen', 'seen', oddText(random).replaceAll(/[\s.]/g, '_')])}.${random.pick(AGENTS)}`,
  headers: random.next() < 0.5 ? resultHeaders(random, known) : headerBlock(random, known),
  payload: payload(random),
});

const control: Maker = (random) => {
  // Each start reads the log and opens an epoch.
  const verb =
    random.next() < 0.03
      ? 'start'
      : random.pick(['ready', 'beat', 'constructor', '__proto__', 'stop', 'toString']);
  return {
    kind: `ctl ${verb}`,
    subject: `ctl.${MALLORY}.${verb}`,
    payload: bodyOf(random, {
      pid: () => random.int(-1, 99_999),
      handled: () => random.int(-1, 99_999),
      pending: () => random.pick([0, 1e308, -1, '9']),
      agents: () => random.pick([0, 1e308, -1, '9']),
      snapshotSeq: () => random.pick([0, 1, 2 ** 53, -1, '1']),
      logId: () => random.pick([null, 'x', oddText(random)]),
      previous: () => ({ epoch: random.int(0, 99), last: random.int(0, 99), holes: [random.int(0, 99)] }),
    }),
    // A process that says an `instance` which is not its own is answered by nobody; `headers` may trace.
    promised: verb !== 'start',
  };
};

const send: Maker = (random, known) => ({
  kind: 'cmd',
  subject: `cmd.${MALLORY}.act.${random.pick(AGENTS)}`,
  payload: payload(random),
  headers: random.next() < 0.5 ? headersOf({}) : headerBlock(random, known),
  // Its commands go to the log by themselves, with all that JetStream may be asked by a header.
  promised: false,
});

const call: Maker = (random, known) => ({
  kind: 'call',
  subject: `call.accounts.balance.${random.pick(AGENTS)}`,
  payload: random.next() < 0.7 ? Buffer.from('{}') : payload(random),
  headers: headersOf({
    'Tally-Cause': String(random.next() < 0.9 ? sequence(random, known) : oddText(random)),
    'Tally-Call': String(random.next() < 0.9 ? random.int(1, 9) : oddText(random)),
  }),
  // A cause that the log does not have yet is waited for.
  promised: false,
});

const api: Maker = (random, known) => ({
  kind: API_PREFIX,
  subject: random.pick([
    `${API_PREFIX}.CONSUMER.INFO.LOG.${MALLORY}`,
    `${API_PREFIX}.CONSUMER.MSG.NEXT.LOG.${MALLORY}`,
    `${API_PREFIX}.CONSUMER.MSG.NEXT.LOG.${MALLORY}~fold`,
    `$JS.ACK.LOG.${MALLORY}.1.${sequence(random, known)}.1.1.0`,
  ]),
  payload: bodyOf(random, {
    batch: () => random.pick([1, 3, 0, -1, 1e9]),
    no_wait: () => true,
    expires: () => random.pick([1_000_000, -1, 0]),
    group: () => random.pick(['host', 'x']),
    id: () => oddText(random),
  }),
  promised: false,
});

const MAKERS = [result, result, result, result, event, event, control, send, send, call, api] as const;

/** Everything that a module may say, said wrong. */
export const moduleWords: Family = (random, known) => {
  const { kind, subject, payload: body, headers, promised } = random.pick(MAKERS)(random, known);
  return {
    type: 'request',
    kind,
    as: 'module',
    subject,
    ...(headers === undefined ? {} : { headers }),
    payload: body,
    // The server itself takes results and events, and does with its own headers what they say.
    promised: promised ?? headers?.includes('Nats-') !== true,
  };
};
