import fc from 'fast-check';
import { Payload } from '../../schemas/payload.js';
import type { TraceRecord } from '../../replay/trace/trace-record.js';

const BEGAN = Date.parse('2026-01-02T03:04:05.000Z');

/** What a test says of a record; the rest follows. */
export type Said = Partial<Omit<TraceRecord, 'payload'>> & {
  readonly seq: number;
  readonly kind: TraceRecord['kind'];
  /** Its payload, as a value of JSON. */
  readonly data?: unknown;
};

/** A record of the conversation 1, stored as many milliseconds behind the first as `at` says; 1 ms a record without. */
export const record = ({ at, data = {}, ...said }: Said & { readonly at?: number }): TraceRecord => {
  const {
    seq,
    kind,
    module = 'shop',
    name = 'act',
    agent = 'a',
    sender = kind === 'cmd' ? 'guest' : module,
  } = said;
  const timeMs = BEGAN + (at ?? seq - 1);
  const subject = `${kind}.${module}.${name}${agent === null ? '' : `.${agent}`}${kind === 'cmd' ? `.${sender}` : ''}`;
  const headers = {
    part: null,
    call: null,
    dead: null,
    redrives: null,
    schedule: null,
    event: null,
    deadline: null,
  };
  const who = { module, name, agent, sender, id: null, cause: null, conversation: 1, subjectBase64: null };
  const payload = new Payload(Buffer.from(JSON.stringify(data)));
  return { subject, time: new Date(timeMs).toISOString(), timeMs, ...who, ...headers, payload, ...said };
};

export const ok = (...out: readonly string[]): unknown => ({
  status: 'ok',
  data: { done: true },
  ...(out.length === 0 ? {} : { out: out.map((subject, i) => ({ subject, id: `1/${i + 1}`, data: {} })) }),
});

export const refused = (status: string, code: string, message: string): unknown => ({
  status,
  error: { code, message, retryable: false },
});

const maybe = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(some, { nil: null });

const anySaid = (most: number) =>
  fc.record({
    kind: fc.constantFrom<TraceRecord['kind']>('cmd', 'cmd', 'res', 'res', 'evt', 'epoch', 'unknown'),
    module: fc.constantFrom('shop', 'bank', '$odd'),
    sender: fc.constantFrom('shop', 'bank', 'guest'),
    // Any cause: of nobody, of itself, of what comes later.
    cause: maybe(fc.integer({ min: 1, max: most + 5 })),
    part: maybe(fc.record({ i: fc.integer({ min: 1, max: 3 }), n: fc.constant(3) })),
    call: maybe(fc.integer({ min: 1, max: 3 })),
    redrives: maybe(fc.integer({ min: 1, max: most })),
    dead: maybe(fc.constant(3)),
    at: fc.integer({ min: 0, max: 1_000 }),
    data: fc.oneof(
      fc.constant(ok('evt.shop.done.a', 'cmd.bank.pay.b')),
      fc.constant(refused('failed', 'HANDLER_THREW', 'no')),
      fc.jsonValue(),
      fc.constant({ status: 'ok', out: [null, 7, { subject: {} }] }),
      fc.constant({ status: 'failed', error: 'none' }),
    ),
  });

/** Records as a log of others might have them, whatever our own promises. */
export const anyRecords = (most = 60): fc.Arbitrary<readonly TraceRecord[]> =>
  fc
    .array(anySaid(most), { maxLength: most })
    .map((all) => all.map((said, i) => record({ ...said, seq: i + 1 })));

/** An order whose handler makes two calls, the second of which is refused, and whose outcome sends a command. */
export const ORDER: readonly TraceRecord[] = [
  record({ seq: 1, kind: 'cmd', name: 'place', agent: 'order-1' }),
  record({ seq: 2, at: 10, kind: 'cmd', name: 'reserve', agent: 'lamp', sender: 'shop', cause: 1, call: 1 }),
  record({
    seq: 3,
    at: 14,
    kind: 'res',
    name: 'reserve',
    agent: 'lamp',
    cause: 2,
    data: ok('evt.shop.reserved.lamp'),
  }),
  record({ seq: 4, at: 15, kind: 'evt', name: 'reserved', agent: 'lamp', cause: 2, part: { i: 1, n: 1 } }),
  record({
    seq: 5,
    at: 20,
    kind: 'cmd',
    module: 'bank',
    name: 'pay',
    agent: 'alice',
    sender: 'shop',
    cause: 1,
    call: 2,
  }),
  record({
    seq: 6,
    at: 26,
    kind: 'res',
    module: 'bank',
    name: 'pay',
    agent: 'alice',
    cause: 5,
    data: refused('rejected', 'POOR', 'too little'),
  }),
  record({
    seq: 7,
    at: 30,
    kind: 'res',
    name: 'place',
    agent: 'order-1',
    cause: 1,
    data: ok('evt.shop.refused.order-1', 'cmd.shop.unreserve.lamp'),
  }),
  record({ seq: 8, at: 31, kind: 'evt', name: 'refused', agent: 'order-1', cause: 1, part: { i: 1, n: 2 } }),
  record({
    seq: 9,
    at: 33,
    kind: 'cmd',
    name: 'unreserve',
    agent: 'lamp',
    sender: 'shop',
    cause: 1,
    part: { i: 2, n: 2 },
  }),
  record({ seq: 10, at: 40, kind: 'res', name: 'unreserve', agent: 'lamp', cause: 9, data: ok() }),
];

/** So many commands, each of which sends the next. */
export const chain = (length: number): readonly TraceRecord[] =>
  Array.from({ length }, (_, i): readonly TraceRecord[] => {
    const seq = 2 * i + 1;
    const part = i === 0 ? {} : { cause: seq - 2, part: { i: 1, n: 1 }, sender: 'shop' };
    const sends = i === length - 1 ? ok() : ok('cmd.shop.act.a');
    return [
      record({ seq, kind: 'cmd', ...part }),
      record({ seq: seq + 1, kind: 'res', cause: seq, data: sends }),
    ];
  }).flat();

/** A command whose outcome sends so many others. */
export const fan = (width: number): readonly TraceRecord[] => {
  const out = Array.from({ length: width }, () => 'cmd.shop.act.a');
  const sent = out.map((_, i) =>
    record({ seq: i + 3, kind: 'cmd', sender: 'shop', cause: 1, part: { i: i + 1, n: width } }),
  );
  const answered = out.map((_, i) => record({ seq: width + i + 3, kind: 'res', cause: i + 3, data: ok() }));
  return [
    record({ seq: 1, kind: 'cmd' }),
    record({ seq: 2, kind: 'res', cause: 1, data: ok(...out) }),
    ...sent,
    ...answered,
  ];
};
