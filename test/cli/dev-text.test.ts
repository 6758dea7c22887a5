import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DevEvent, SeenCall } from '../../bin/dev/dev-event.js';
import { devText } from '../../bin/dev/dev-text.js';

const NOW = new Date('2026-01-02T03:04:05Z');
const clock = (date: Date): string => date.toTimeString().slice(0, 8);
const shown = (event: DevEvent, colour = false): string => devText(event, { colour }, NOW);

const call = (more: Partial<SeenCall> = {}): SeenCall => ({
  event: 'call',
  seq: 7,
  time: '2026-01-02T03:00:00.000Z',
  module: 'tickets',
  action: 'sell',
  agent: 'hamlet',
  sender: 'guest',
  input: { seats: 2 },
  status: 'ok',
  output: { left: 98 },
  ms: 1.5,
  ...more,
});

const error = { code: 'SOLD_OUT', message: '2 seats are left', retryable: false };
const broken = { event: 'broken', source: 'modules/t.ts', error } as const;

const texts: readonly (readonly [event: DevEvent, text: string])[] = [
  [
    {
      ...{
        event: 'ready',
        pid: 1,
        nats: 'nats://127.0.0.1:4222',
        dataDir: '/shop/.tallystick',
        durability: 'os',
      },
      modules: [
        { name: 'tickets', version: '1.0.0', state: 'loaded' },
        { name: 'orders', version: '2.0.0', state: 'crashed' },
      ],
      sources: ['modules/t.ts', 'modules/o.ts'],
    },
    `Tallystick is ready at nats://127.0.0.1:4222
  data      /shop/.tallystick (durability os)
  modules   tickets 1.0.0
  watching  modules/t.ts, modules/o.ts
Save a file, and the module runs the new code. Ctrl-C ends all.`,
  ],
  [
    {
      ...{ event: 'ready', pid: 1, nats: 'nats://127.0.0.1:1', dataDir: '/d', durability: 'fsync' },
      ...{ modules: [], sources: [] },
    },
    `Tallystick is ready at nats://127.0.0.1:1
  data      /d (durability fsync)
  modules   none
  watching  no source yet
Save a file, and the module runs the new code. Ctrl-C ends all.`,
  ],
  [{ event: 'loaded', module: 'tickets', source: 'modules/t.ts', ms: 12 }, 'loaded tickets in 12 ms'],
  [{ event: 'reloaded', module: 'tickets', source: 'modules/t.ts', ms: 12 }, 'reloaded tickets in 12 ms'],
  [
    { ...broken, module: null, continues: false, error: { ...error, message: 'line 1\nline 2' } },
    'modules/t.ts is broken: no code of it runs\n  SOLD_OUT: line 1\n  line 2',
  ],
  [
    { ...broken, module: 'tickets', continues: true },
    'modules/t.ts is broken: tickets continues with its last good code\n  SOLD_OUT: 2 seats are left',
  ],
  [
    { event: 'unchanged', source: 'modules/t.ts', module: 'tickets' },
    'modules/t.ts is good again: the code is the same as before',
  ],
  [
    { event: 'gone', source: 'modules/t.ts', module: 'tickets', continues: true },
    'modules/t.ts is gone: tickets continues with its last good code',
  ],
  [
    { event: 'gone', source: 'modules/t.ts', module: null, continues: false },
    'modules/t.ts is gone: no code of it runs',
  ],
  [{ event: 'note', text: 'port 4222 is in use' }, 'port 4222 is in use'],
  [{ event: 'types', problems: [] }, 'the types are good'],
  [
    {
      event: 'types',
      problems: [
        { file: 'a.ts', line: 1, column: 2, code: 'TS2322', message: 'no number\n  but a string' },
        { file: 'b.ts', line: 3, column: 4, code: 'TS2307', message: 'no module' },
      ],
    },
    '2 type errors\n  a.ts:1:2: TS2322: no number\n    but a string\n  b.ts:3:4: TS2307: no module',
  ],
  [{ event: 'output', module: 'tickets', text: 'hello' }, 'tickets | hello'],
  [{ event: 'broker', part: 'log', text: 'compacts' }, '[log] compacts'],
  [call(), 'tickets.sell hamlet {"seats":2} → {"left":98} 1.5 ms'],
  [call({ agent: null }), 'tickets.sell {"seats":2} → {"left":98} 1.5 ms'],
  [call({ sender: 'booking' }), 'tickets.sell hamlet {"seats":2} → {"left":98} 1.5 ms (from booking)'],
  [call({ sender: 'operator' }), 'tickets.sell hamlet {"seats":2} → {"left":98} 1.5 ms'],
  [
    call({ status: 'rejected', error, output: undefined }),
    'tickets.sell hamlet {"seats":2} → SOLD_OUT 2 seats are left 1.5 ms',
  ],
];

describe('an event of dev, as text', () => {
  for (const [event, text] of texts)
    it(`is the time and ${JSON.stringify(text.split('\n')[0])}`, () => {
      const time = event.event === 'call' ? new Date(event.time) : NOW;
      assert.equal(shown(event), `${clock(time)} ${text}`);
    });

  it('has the same words in colour', () => {
    for (const [event] of texts) {
      const coloured = shown(event, true);
      assert.ok(coloured.startsWith('\u001b['));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what a colour is made of
      assert.equal(coloured.replaceAll(/\u001b\[[\d;]*m/g, ''), shown(event));
    }
  });

  it('cuts a long payload, and --json has all of it', () => {
    const text = shown(call({ input: { name: 'x'.repeat(500) } }));
    assert.ok(text.length < 200, text);
    assert.match(text, /x…/);
  });

  it('shows foreign characters, so that no text controls the terminal', () => {
    const evil = '\u001b[2J\u0007';
    const events: readonly DevEvent[] = [
      { event: 'output', module: evil, text: evil },
      { event: 'broker', part: evil, text: evil },
      { event: 'note', text: evil },
      { event: 'gone', source: evil, module: evil, continues: true },
      {
        ...broken,
        source: evil,
        module: evil,
        continues: true,
        error: { ...error, code: evil, message: evil },
      },
      { event: 'types', problems: [{ file: evil, line: 1, column: 1, code: evil, message: evil }] },
      call({ module: evil, action: evil, agent: evil, sender: evil, input: evil, output: evil }),
      call({ status: 'failed', error: { ...error, message: evil } }),
    ];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
    for (const event of events) assert.doesNotMatch(shown(event), /[\u0000-\u0009\u000b-\u001f]/);
  });
});
