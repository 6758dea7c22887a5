import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import fc from 'fast-check';
import { KeptLines } from '../../../broker/lines/kept-lines.js';
import { linesPage } from '../../../broker/lines/line-pages.js';
import { isAtLeast, LOG_LEVELS, type LinesRequest, type LogLine } from '../../../schemas/log-lines.js';
import { printedLine } from '../../../system/lines/broker-log.js';
import { tempDir } from '../../support/temp-dir.js';

const KEPT = { segmentBytes: 600, segmentsOfWriter: 3, segments: 6 };

const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('line' as const),
      module: fc.constantFrom(undefined, 'a', 'b', 'long_name'),
      level: fc.constantFrom(...LOG_LEVELS),
      msg: fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 40 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const), isTorn: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('tick' as const) }) },
);

const open = (dir: string): KeptLines => new KeptLines({ dir, say: (text) => assert.fail(text), kept: KEPT });

/** A crash in the middle of a write: a part of a line that nobody has been told of. */
const tear = (dir: string): void => {
  for (const file of readdirSync(dir)) appendFileSync(join(dir, file), '{"n":9,"k":9,"time":"2026');
};

const pages = (kept: KeptLines, request: LinesRequest, forwards: boolean): readonly LogLine[] => {
  const found: LogLine[] = [];
  let place: number | null = forwards ? 0 : Number.MAX_SAFE_INTEGER;
  for (let asked = 0; place !== null; asked++) {
    assert.ok(asked < 500, 'the pages have no end');
    const page = linesPage(kept, {
      ...request,
      limit: 4,
      ...(forwards ? { after: place } : { before: place }),
    });
    if (forwards) found.push(...page.lines);
    else found.unshift(...page.lines);
    if (forwards && page.isEnd) break;
    assert.ok(
      page.next === null || (forwards ? page.next > place : page.next < place),
      'a page gets further',
    );
    place = page.next;
  }
  return found;
};

it('all lines are kept or counted, over any restarts, and pages in both directions have the same ones', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      await using dir = tempDir();
      let kept = open(dir.path);
      const all: LogLine[] = [];
      const ks = new Map<string | undefined, number>();
      for (const each of steps) {
        if (each.kind === 'tick') await Promise.resolve();
        if (each.kind === 'restart') {
          kept.flush();
          if (each.isTorn) tear(dir.path);
          kept = open(dir.path);
        }
        if (each.kind !== 'line') continue;
        const { module, level, msg } = each;
        const line = printedLine(module ?? 'broker', msg, {
          level,
          ...(module === undefined ? {} : { module }),
        });
        kept.add(line, module);
        const k = (ks.get(module) ?? 0) + 1;
        ks.set(module, k);
        all.push({ n: all.length + 1, k, ...line });
      }
      const gone = new Map(kept.kept(() => true).map((writer) => [writer.module ?? undefined, writer.gone]));
      const expected = all.filter(({ module, k }) => k > (gone.get(module) ?? ks.get(module) ?? 0));
      for (const forwards of [true, false])
        assert.deepEqual(pages(kept, {}, forwards), JSON.parse(JSON.stringify(expected)));
      const warned = expected.filter(({ level, module }) => isAtLeast(level, 'warn') && module === 'a');
      for (const forwards of [true, false])
        assert.deepEqual(
          pages(kept, { level: 'warn', module: 'a' }, forwards),
          JSON.parse(JSON.stringify(warned)),
        );
      const files = readdirSync(dir.path);
      assert.ok(files.length <= KEPT.segments, files.join());
      // The longest line, which may be larger than a file, and what was torn.
      for (const file of files) assert.ok(statSync(join(dir.path, file)).size < 2_000);
    }),
    { numRuns: 40 },
  );
});

it('a file that lost its end or its middle still shows the other lines', async () => {
  await using dir = tempDir();
  const kept = open(dir.path);
  for (let i = 0; i < 3; i++) kept.add(printedLine('broker', `line ${i}`));
  kept.flush();
  const [file = ''] = readdirSync(dir.path);
  truncateSync(join(dir.path, file), statSync(join(dir.path, file)).size - 5);
  const again = open(dir.path);
  again.add(printedLine('broker', 'after'));
  assert.deepEqual(
    linesPage(again, {}).lines.map(({ msg }) => msg),
    ['line 0', 'line 1', 'after'],
  );
});

it('says that lines cannot be kept, once, and counts them when they can be again', async () => {
  await using dir = tempDir();
  const said: string[] = [];
  const at = join(dir.path, 'lines');
  const kept = new KeptLines({ dir: at, say: (text) => said.push(text) });
  rmSync(at, { recursive: true });
  for (let i = 0; i < 3; i++) {
    kept.add(printedLine('broker', `lost ${i}`));
    kept.flush();
  }
  assert.equal(said.length, 1, said.join('\n'));
  mkdirSync(at);
  kept.add(printedLine('broker', 'kept'));
  assert.deepEqual(
    linesPage(kept, {}).lines.map(({ msg }) => msg),
    ['kept', '3 log lines before this one could not be kept'],
  );
});
