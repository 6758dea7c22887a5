import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { traceHtml } from '../../replay/trace/html.js';
import { traceJson } from '../../replay/trace/trace-json.js';
import { traceMermaid } from '../../replay/trace/mermaid.js';
import { traceText } from '../../replay/trace/text.js';
import type { Trace } from '../../replay/trace/conversation-trace.js';
import { traceOf } from '../../replay/trace/trace-of.js';
import { formatDuration } from '../../text/durations.js';
import { anyRecords, chain, fan, ORDER, ok, record, refused } from './trace-records.js';
import { byForm } from '../support/form.js';

/** What anybody might send to have somebody else's terminal or browser do something. */
const HOSTILE = [
  '</title></text></svg><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onload='alert(1)",
  ']]><!--',
  '\u001b[2J\u001b]0;owned\u0007',
  '\u202egnp.exe',
  'end\n  alt x; p0->>p1: forged',
  '#59;:;%%{init: {}}%%',
  '&lt;script&gt;',
] as const;

const hostile = (text: string): Trace =>
  traceOf([
    record({ seq: 1, kind: 'cmd', name: text, agent: text, sender: text, data: { [text]: text } }),
    record({ seq: 2, kind: 'evt', name: text, cause: 1, data: text }),
    record({ seq: 3, kind: 'unknown', module: null, name: null, subject: text, data: text }),
    record({ seq: 4, kind: 'cmd', name: 'x', schedule: text, data: {} }),
    record({ seq: 5, kind: 'res', name: 'x', cause: 4, data: refused('failed', text, text) }),
    record({ seq: 6, kind: 'cmd', name: 'y', data: {} }),
    record({ seq: 7, kind: 'res', name: 'y', cause: 6, data: ok(text) }),
  ]);

// biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;
const lines = (trace: Trace, style = {}): readonly string[] => [...traceText(trace, style)];

/** Every tag and attribute of what is written is one that we write. */
const checkMarkup = (html: string): void => {
  const tags = html.matchAll(/<(\/?)([a-zA-Z!][^\s>/]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/g);
  const known = new Set(
    '!doctype html head meta title style body header h1 h2 p b ul li a main div svg g path rect circle text table tr th td i footer pre'.split(
      ' ',
    ),
  );
  for (const [tag, , name = '', attributes = ''] of tags) {
    assert.ok(known.has(name), tag);
    for (const [, attribute = ''] of attributes.matchAll(/\s([^\s="'>]+)=/g))
      assert.ok(!/^on/i.test(attribute), tag);
  }
  assert.equal(html.match(/<(?:script|img|iframe|link|foreignObject|image|use)\b/i), null);
  assert.equal(html.match(/\b(?:href|src)="(?!#[rp]\d+")/), null);
};

/** What a parser makes of the entities. */
const textOf = (html: string): string =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replace(
      /&(lt|gt|quot|#39|amp);/g,
      (_all, name: string) => ({ lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' })[name] ?? '',
    );

describe('a trace as text', () => {
  test('has a line a command or event with offsets, durations and bars, what is not ok, and where the time went', () => {
    const text = lines(traceOf(ORDER)).join('\n');
    assert.match(text, /^conversation 1: shop\.place order-1 from guest, 2026-01-02T03:04:05\.000Z\n/);
    assert.match(text, /\n10 records in 40\.0 ms, 4 commands: 3 ok, 1 rejected\n/);
    assert.match(
      text,
      /\n +1→7 +0\.00 ms +30\.0 ms {2}█+▒+█+▒+█+─* +shop\.place order-1 from guest ok \{\} → /,
    );
    assert.match(
      text,
      /\n +5→6 +20\.0 ms +6\.00 ms .* ├─ call 2 bank\.pay alice rejected POOR: too little \{\}\n/,
    );
    assert.match(text, /\n +4 +15\.0 ms .*• .* │ {2}└─ evt shop\.reserved lamp \{\}\n/);
    assert.match(text, /\nnot ok\n {2}5 bank\.pay alice \(1 › 5\): rejected POOR: too little\n/);
    assert.match(
      text,
      /\nwhere the time went\n +action .*\n {2}shop\.place +1 +0\.00 ms +10\.0 ms +20\.0 ms +3\.00 ms +█+─+\n/,
    );
  });

  test('fits a terminal of any width, and colours add nothing but colour', () => {
    for (const columns of [40, 80, 120]) {
      const plain = lines(traceOf(ORDER), { columns });
      const tree = plain.slice(3, plain.indexOf('', 3));
      for (const line of tree.filter((each) => each.includes('─ '))) assert.ok(line.length <= columns, line);
      const coloured = lines(traceOf(ORDER), { columns, colour: true });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape itself is meant
      const uncoloured = coloured.map((line) => line.replace(/\u001b\[[\d;]*m/g, ''));
      assert.deepEqual(uncoloured, plain);
      assert.notDeepEqual(coloured, plain);
    }
  });

  test('marks what is open, and says how much is left out', () => {
    const open = lines(traceOf(ORDER.slice(0, 2))).join('\n');
    assert.match(open, /1→\? .* open .*\?+ .*shop\.place order-1 from guest open/);
    const cut = lines(traceOf(fan(100)), { limit: 10 }).join('\n');
    assert.match(cut, /└─ and 1\d\d more records/);
    assert.match(lines(traceOf(ORDER), { depth: 1 }).join('\n'), /└─ and 8 more records/);
  });

  test('says durations to three digits or so', () => {
    const said = [
      0, 0.0424, 9.99, 9.996, 99.94, 99.96, 999.4, 999.6, 59_994, 59_996, 3_599_000, 7_500_000, 864_000_000,
    ];
    assert.deepEqual(said.map(formatDuration), [
      ...['0.00 ms', '0.04 ms', '9.99 ms', '10.0 ms', '99.9 ms', '100 ms', '999 ms', '1.00 s', '59.99 s'],
      ...['1 m 00 s', '59 m 59 s', '2 h 05 m', '10.0 d'],
    ]);
  });
});

describe('whatever a payload or a name says', () => {
  for (const text of HOSTILE) {
    test(`${JSON.stringify(text)} is shown and does nothing`, () => {
      const trace = hostile(text);
      for (const line of lines(trace)) assert.equal(STEERING.test(line), false, line);
      const html = traceHtml(trace);
      checkMarkup(html);
      assert.equal(STEERING.test(html), false);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are shown as numbers
      if (!/[\u0000-\u001f\u202e"]/.test(text)) assert.ok(textOf(html).includes(text), html);
      const mermaid = traceMermaid(trace).split('\n');
      assert.equal(
        mermaid.filter(
          (line) =>
            !/^(sequenceDiagram| {2}(participant p\d+ as|p\d+\S+p\d+:|Note over p\d+:) [A-Za-z0-9 _.,/→…#;-]*)$/.test(
              line,
            ),
        ).length,
        0,
        mermaid.join('\n'),
      );
      assert.deepEqual(JSON.parse(traceJson(trace)).tree[0].data, { [text]: text });
    });
  }

  test('every form takes any log', () => {
    fc.assert(
      fc.property(anyRecords(40), (records) => {
        const trace = traceOf(records);
        lines(trace, { columns: 100, colour: true });
        checkMarkup(traceHtml(trace));
        traceMermaid(trace);
      }),
      { numRuns: byForm({ short: 18, deep: 100 }) },
    );
  });

  test('a page has each drawn record once, with its payload, where the link of its row leads', () => {
    fc.assert(
      fc.property(anyRecords(40), (records) => {
        const html = traceHtml(traceOf(records));
        const links = [...html.matchAll(/href="#(p\d+)"/g)].map(([, id]) => id);
        const listed = [...html.matchAll(/<pre id="(p\d+)">/g)].map(([, id]) => id);
        assert.deepEqual(listed, links);
      }),
      { numRuns: byForm({ short: 10, deep: 50 }) },
    );
    const html = traceHtml(traceOf([record({ seq: 1, kind: 'cmd', data: { word: 'y'.repeat(1_000) } })]));
    assert.ok(html.slice(html.indexOf('<pre id="p1">')).includes('y'.repeat(1_000)));
  });

  test('a page loads nothing and forbids it, and a payload above its limit is cut aloud', () => {
    const html = traceHtml(traceOf([record({ seq: 1, kind: 'cmd', data: 'x'.repeat(100_000) })]));
    assert.match(html, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/);
    assert.match(html, /prefers-color-scheme:dark/);
    assert.equal(/https?:|url\(|@import/.test(html), false);
    assert.match(html, /x… and \d+ more characters/);
    assert.ok(html.length < 20_000);
  });
});

describe('10,000 records', () => {
  for (const [shape, records] of [
    ['one below the other', chain(5_000)],
    ['side by side', fan(5_000)],
  ] as const) {
    test(`${shape} are traced and written in every form`, () => {
      const trace = traceOf(records);
      assert.equal(lines(trace).length > 5_000, true);
      assert.ok(traceJson(trace).length > 100_000);
      assert.match(traceHtml(trace), /and [\d,]+ more records that are not drawn/);
      assert.match(traceMermaid(trace), /Note over p0,p1: and [\d,#;]+ more records/);
    });
  }
});
