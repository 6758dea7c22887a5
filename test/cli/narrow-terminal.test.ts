import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { agentTable } from '../../bin/commands/agent-command.js';
import { conversationTable } from '../../bin/commands/conversation-command.js';
import { deadTable } from '../../bin/commands/dead-command.js';
import { scheduleTable } from '../../bin/commands/schedule-command.js';
import { modulesTable } from '../../bin/text/module-table.js';
import { lineFormatter } from '../../replay/history/format-line.js';
import { Payload } from '../../schemas/payload.js';
import type { HistoryRecord } from '../../schemas/record.js';
import { formatTable } from '../../text/table.js';

const TIME = '2026-01-02T03:04:05.678Z';
const WIDTHS = [80, 120] as const;
const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,63}$/);
const sequence = fc.nat({ max: 99_999_999 });
/** Names as people choose them: a row of these fits 80 columns. */
const usual = fc.stringMatching(/^[a-z][a-z0-9-]{2,7}$/);

const record = (
  seq: number,
  module: string,
  action: string,
  agent: string,
  payload: string,
): HistoryRecord => ({
  seq,
  time: TIME,
  kind: 'cmd',
  subject: `cmd.${module}.${action}.${agent}.guest`,
  subjectBase64: null,
  module,
  name: action,
  agent,
  sender: 'guest',
  id: null,
  cause: seq > 1 ? seq - 1 : null,
  conversation: 1,
  payload: new Payload(Buffer.from(payload)),
});

/** The words of a line, without what was cut. */
const words = (line: string): readonly string[] => line.trim().split(/ +/);

describe('on a terminal of 80 or 120 columns', () => {
  test('a line of history has its sequence, time, kind, action, agent, sender and cause whole', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(sequence, name, name, name), { minLength: 1, maxLength: 20 }), (all) => {
        for (const columns of WIDTHS) {
          const format = lineFormatter({ columns });
          for (const [seq, module, action, agent] of all) {
            const line = format(record(seq, module, action, agent, '{"amount":5}'));
            const time = columns < 120 ? ['01-02', '03:04:05'] : [TIME];
            const cause = seq > 1 ? `${seq - 1}` : '-';
            const keys = [`${seq}`, ...time, 'cmd', `${module}.${action}`, agent, 'guest', cause];
            assert.deepEqual(words(line).slice(0, keys.length), keys);
          }
        }
      }),
    );
  });

  test('a line of history with usual names fits, shows data, and marks what it cut', () => {
    fc.assert(
      fc.property(
        sequence,
        usual,
        usual,
        usual,
        fc.string({ minLength: 200 }),
        (seq, module, action, agent, text) => {
          for (const columns of WIDTHS) {
            const line = lineFormatter({ columns })(
              record(seq, module, action, agent, JSON.stringify({ text })),
            );
            assert.ok(line.length <= columns, `${line.length} of ${columns}: ${line}`);
            assert.ok(line.endsWith('…'), line);
          }
          const shown = lineFormatter({ columns: 80 })(
            record(17, 'accounts', 'deposit', 'alice', '{"amount":5}'),
          );
          assert.ok(shown.endsWith(' {"amount":5}'), shown);
        },
      ),
    );
  });

  test('a pipe has whole lines', () => {
    const line = lineFormatter()(record(17, 'accounts', 'deposit', 'alice', JSON.stringify('x'.repeat(500))));
    assert.ok(line.includes(TIME) && line.endsWith('x"'));
  });

  /** Each table with rows of long values, and what of each row must be whole. */
  const tables = (id: string, module: string, action: string, agent: string) => {
    const address = `${module}.${action}.${agent}`;
    return [
      [
        'dead list',
        (columns: number) =>
          deadTable(
            [
              {
                command: 12_345_678,
                time: TIME,
                module,
                action,
                agent,
                sender: 'guest',
                attempts: 3,
                error: { code: 'HANDLER_TIMEOUT', message: 'late' },
                redriven: [12_345_679, 12_345_680],
              } as unknown as Parameters<typeof deadTable>[0][number],
            ],
            columns,
          ),
        ['12345678', address, 'HANDLER_TIMEOUT'],
      ],
      [
        'schedule list',
        (columns: number) =>
          scheduleTable(
            [
              {
                id,
                module,
                action,
                agent,
                sender: 'guest',
                at: null,
                everyMs: null,
                cron: '0 9 * * mon-fri',
                timezone: 'America/Argentina/ComodRivadavia',
                next: TIME,
              } as unknown as Parameters<typeof scheduleTable>[0][number],
            ],
            columns,
          ),
        [id, address],
      ],
      [
        'conversation list',
        (columns: number) =>
          conversationTable(
            [
              {
                conversation: 12_345_678,
                began: TIME,
                last: { seq: 12_345_999, time: TIME },
                commands: 17,
                participants: [`${module} ${agent}`, 'orders order-7'],
                more: false,
              } as unknown as Parameters<typeof conversationTable>[0][number],
            ],
            columns,
          ),
        ['12345678', '12345999'],
      ],
      [
        'agent list',
        (columns: number) => agentTable([{ agent, seq: 12_345_678, time: TIME } as never], columns),
        [agent, '12345678'],
      ],
      [
        'module list',
        (columns: number) =>
          modulesTable(
            [
              {
                name: module,
                version: '10.20.30-beta.4',
                state: 'crashed',
                pid: 123_456,
                restarts: 12,
                lag: 1_234_567,
                cpuPercent: 99.9,
                rssBytes: 123_456_789,
                reason: null,
              },
            ],
            columns,
          ),
        [module, 'crashed', '123456', '1234567'],
      ],
    ] as const;
  };

  test('a table has the columns whole that you type into the next command', () => {
    fc.assert(
      fc.property(name, name, name, name, (id, module, action, agent) => {
        for (const columns of WIDTHS)
          for (const [what, table, whole] of tables(id, module, action, agent)) {
            const row = table(columns).split('\n')[1] ?? '';
            for (const part of whole)
              assert.ok(row.includes(part), `${what} at ${columns}: ${part} in ${row}`);
          }
      }),
      { numRuns: 50 },
    );
  });

  test('a table with usual names fits', () => {
    fc.assert(
      fc.property(usual, usual, usual, (module, action, agent) => {
        for (const columns of WIDTHS)
          for (const [what, table] of tables('01J9Z3K4M5N6P7Q8R9S0T1V2W3', module, action, agent))
            for (const line of table(columns).split('\n'))
              assert.ok(line.length <= columns, `${what} at ${columns}: ${line.length}: ${line}`);
      }),
      { numRuns: 50 },
    );
  });

  test('times become short before any text is cut; then spare columns are left out, in order', () => {
    const heads = ['ID', 'TIME', 'REASON'];
    const rows = [['a', TIME, 'x'.repeat(60)]];
    assert.ok(!formatTable(heads, rows, { room: 90 }).includes('…'));
    assert.ok(formatTable(heads, rows, { room: 90 }).includes(TIME));
    const [, short = ''] = formatTable(heads, rows, { room: 80 }).split('\n');
    assert.equal(short, `a   01-02 03:04:05  ${'x'.repeat(60)}`);
    for (let room = 1; room < 80; room++)
      assert.ok(formatTable(heads, rows, { room }).includes('01-02 03:04:05'), `${room}`);
    const without = (room: number) => formatTable(heads, rows, { room, spare: [1, 2] }).split('\n')[0];
    assert.deepEqual([60, 28, 27, 11].map(without), [
      'ID  TIME            REASON',
      'ID  TIME            REASON',
      'ID  REASON',
      'ID',
    ]);
  });
});
