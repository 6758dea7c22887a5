import assert from 'node:assert/strict';
import type { Profiler } from 'node:inspector';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  Function as PprofFunction,
  Line,
  Location,
  Profile,
  Sample,
  StringTable,
  ValueType,
} from 'pprof-format';
import { flameGraph } from '../../perf/profile/flame-graph.js';
import {
  addGoProfile,
  addNodeProfile,
  longest,
  type SampledStacks,
  wholeTime,
} from '../../perf/profile/sampled-stacks.js';

const name = fc.oneof(
  fc.constantFrom('main', '(program)', '', '<a & "b">', 'a;b'),
  fc.string({ maxLength: 12 }),
);

/** A tree of functions, each below one that comes before it, and samples of them. */
const nodeProfile = fc
  .record({
    names: fc.array(fc.tuple(name, fc.nat()), { minLength: 1, maxLength: 12 }),
    samples: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 5_000 })), { maxLength: 30 }),
  })
  .map(({ names, samples }): Profiler.Profile => {
    const children = new Map<number, number[]>();
    for (const [i, [, parent]] of names.entries()) {
      const under = parent % (i + 1);
      children.set(under, [...(children.get(under) ?? []), i + 1]);
    }
    // Only below the root, and below nothing else.
    const idle = names.length + 1;
    children.set(0, [...(children.get(0) ?? []), idle]);
    const all = ['(root)', ...names.map(([text]) => text), '(idle)'];
    return {
      nodes: all.map((functionName, id) => ({
        id,
        callFrame: { functionName, scriptId: '1', url: 'file:///a/b.js', lineNumber: id, columnNumber: 0 },
        children: children.get(id) ?? [],
      })),
      samples: samples.map(([at]) => at % all.length),
      timeDeltas: samples.map(([, us]) => us),
      startTime: 0,
      endTime: 1,
    };
  });

const stacks = fc
  .array(
    fc.tuple(
      fc.array(
        name.map((text) => text.replaceAll(';', ' ')),
        { minLength: 1, maxLength: 6 },
      ),
      fc.integer({ min: 1, max: 9_000 }),
    ),
    {
      minLength: 1,
      maxLength: 20,
    },
  )
  .map((all): SampledStacks => {
    const made: SampledStacks = new Map();
    for (const [frames, us] of all) made.set(frames.join(';'), (made.get(frames.join(';')) ?? 0) + us);
    return made;
  });

interface Drawn {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

const boxesIn = (svg: string): readonly Drawn[] =>
  [...svg.matchAll(/<rect class="f\d" x="([\d.]+)" y="(\d+)" width="([\d.]+)"/g)].map(([, x, y, width]) => ({
    x: Number(x),
    y: Number(y),
    width: Number(width),
  }));

describe('stacks of processor time', () => {
  it('have the time of all samples, whatever the functions are called', () => {
    fc.assert(
      fc.property(nodeProfile, (profile) => {
        const found: SampledStacks = new Map();
        addNodeProfile(found, profile);
        addNodeProfile(found, profile);
        const { samples = [], timeDeltas = [] } = profile;
        const isWork = (at: number): boolean => at !== 0 && at !== profile.nodes.length - 1;
        const all = timeDeltas.reduce((sum, us, i) => sum + (isWork(samples[i] ?? 0) ? us : 0), 0);
        assert.equal(wholeTime(found), 2 * all);
        const shares = longest(found, 1_000).reduce((sum, [, share]) => sum + share, 0);
        assert.ok(all === 0 || Math.abs(shares - 1) < 1e-9);
      }),
    );
  });

  it('are read from what Go writes: the innermost function last, also where it is inlined', () => {
    const strings = new StringTable();
    const id = (text: string): number => strings.dedup(text);
    const functions = ['main', 'serve', 'inlined', 'write'].map(
      (text, i) => new PprofFunction({ id: i + 1, name: id(text) }),
    );
    const at = (location: number, ...calls: readonly number[]): Location =>
      new Location({ id: location, line: calls.map((functionId) => new Line({ functionId })) });
    const profile = new Profile({
      stringTable: strings,
      sampleType: [
        new ValueType({ type: id('samples'), unit: id('count') }),
        new ValueType({ type: id('cpu'), unit: id('nanoseconds') }),
      ],
      function: functions,
      // The second place is in `inlined`, which is a part of `serve`.
      location: [at(1, 1), at(2, 3, 2), at(3, 4)],
      sample: [
        new Sample({ locationId: [3, 2, 1], value: [1, 10_000_000] }),
        new Sample({ locationId: [1], value: [2, 20_000_000] }),
      ],
    });
    const found: SampledStacks = new Map();
    addGoProfile(found, gzipSync(profile.encode()));
    assert.deepEqual(
      [...found],
      [
        ['main;serve;inlined;write', 10_000],
        ['main', 20_000],
      ],
    );
  });
});

it('stacks leave out what the sampling itself takes', () => {
  const frame = (functionName: string, url: string): Profiler.ProfileNode['callFrame'] => ({
    functionName,
    scriptId: '1',
    url,
    lineNumber: 0,
    columnNumber: 0,
  });
  const found: SampledStacks = new Map();
  addNodeProfile(found, {
    nodes: [
      { id: 1, callFrame: frame('(root)', ''), children: [2, 4] },
      { id: 2, callFrame: frame('next', 'file:///p/profile/profile-preload.js'), children: [3] },
      { id: 3, callFrame: frame('post', 'node:inspector') },
      { id: 4, callFrame: frame('work', 'file:///p/a.js') },
    ],
    samples: [2, 3, 4],
    timeDeltas: [10, 20, 40],
    startTime: 0,
    endTime: 70,
  });
  assert.deepEqual([...found], [['work p/a.js:1', 40]]);
});

describe('a flame graph', () => {
  it('is one file of SVG without markup of names, and no frame is outside of the one below it', () => {
    fc.assert(
      fc.property(stacks, name, (all, title) => {
        const svg = flameGraph(title, all);
        const tags = [...svg.matchAll(/<\/?([a-z]+)/g)].map(([, tag]) => tag);
        assert.deepEqual(
          [...new Set(tags)].filter((tag) => !['svg', 'title', 'style', 'text', 'rect'].includes(tag ?? '')),
          [],
        );
        const boxes = boxesIn(svg);
        const bottom = Math.max(...boxes.map(({ y }) => y));
        const outermost = boxes.filter(({ y }) => y === bottom);
        assert.ok(Math.abs(outermost.reduce((sum, { width }) => sum + width, 0) - 1_200) < 20);
        for (const { x, y, width } of boxes.filter((box) => box.y < bottom)) {
          const below = boxes.filter((box) => box.y === y + 17);
          assert.ok(below.some((box) => box.x <= x + 0.2 && box.x + box.width >= x + width - 0.2));
        }
      }),
    );
  });
});
