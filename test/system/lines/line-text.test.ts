import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { it } from 'node:test';
import fc from 'fast-check';
import { LOG_LEVELS } from '../../../schemas/log-lines.js';
import { lineText, printedLine, stderrLog } from '../../../system/lines/broker-log.js';
import { processLine } from '../../../system/lines/process-line.js';

/** Text of a module that means harm: sequences of terminals, forged heads, other directions of writing. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '\u001b[2J',
        '\u001b]0;title\u0007',
        '\r',
        '\n',
        '\u009b31m',
        '\u202e',
        '\u2028',
        '\t',
        'x',
        '2026-01-01T00:00:00.000Z [supervisor] ',
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
);
const about = fc.record(
  {
    level: fc.constantFrom(...LOG_LEVELS),
    module: fc.constantFrom('accounts', 'orders'),
    seq: fc.integer({ min: 1 }),
    conversation: fc.integer({ min: 1 }),
    agent: text,
  },
  { requiredKeys: [] },
);

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

it('no text of a module controls a terminal, or looks like a line of another', () => {
  fc.assert(
    fc.property(text, about, (msg, what) => {
      const shown = lineText(printedLine('accounts', msg, what));
      assert.ok(!CONTROL.test(shown), JSON.stringify(shown));
      for (const line of shown.split('\n')) assert.match(line, /^\S+Z (?:WARN |ERROR )?\[accounts\] /);
    }),
  );
});

it('JSON is one line an entry, without control characters, and has all of it', () => {
  fc.assert(
    fc.property(text, about, (msg, what) => {
      const stream = new PassThrough({ encoding: 'utf8' });
      stderrLog(stream, { form: 'json', level: 'debug' }).line('accounts', msg, what);
      const printed = stream.read() as string;
      assert.ok(printed.endsWith('\n') && !CONTROL.test(printed.slice(0, -1)), printed);
      assert.equal(printed.indexOf('\n'), printed.length - 1);
      const { time, source, ...rest } = JSON.parse(printed);
      assert.equal(source, 'accounts');
      assert.ok(typeof time === 'string');
      assert.deepEqual(rest, JSON.parse(JSON.stringify({ level: 'info', ...what, msg })));
    }),
  );
});

it('prints no line below its level', () => {
  const stream = new PassThrough({ encoding: 'utf8' });
  const log = stderrLog(stream, { form: 'text', level: 'warn' });
  for (const level of LOG_LEVELS) log.line('x', level, { level });
  log.line('x', 'without');
  const lines = (stream.read() as string).trim().split('\n');
  assert.deepEqual(
    lines.map((line) => line.split(' ').at(-1)),
    ['warn', 'error'],
  );
});

it('takes any line of a process, and loses no text of it', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        fc.jsonValue().map((value) => JSON.stringify(value)),
      ),
      (line) => {
        const read = processLine(line, 'info');
        if (read.msg !== line) assert.ok(line.includes('"msg"') || line.includes('"message"'));
      },
    ),
  );
});

it('reads lines of logging libraries', () => {
  const read = (line: string) => processLine(line, 'info');
  assert.deepEqual(read('{"level":50,"time":1,"pid":2,"hostname":"h","msg":"no"}'), {
    msg: 'no',
    level: 'error',
  });
  assert.deepEqual(read('{"level":"WARNING","message":"hot","degrees":90}'), {
    msg: 'hot {"degrees":90}',
    level: 'warn',
  });
  assert.deepEqual(read('{"msg":"x","seq":7,"conversation":3,"agent":"ann"}'), {
    msg: 'x',
    level: 'info',
    seq: 7,
    conversation: 3,
    agent: 'ann',
  });
  for (const odd of ['{"msg":5}', '{"seq":1}', '[1]', 'null', '{', '{"msg":"x"'])
    assert.deepEqual(read(odd), { msg: odd, level: 'info' });
  assert.deepEqual(read('{"msg":"x","seq":-1,"level":"loud","agent":5}'), { msg: 'x', level: 'info' });
});
