import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { BurstOutcome } from '../../perf/burst/burst-outcome.js';
import { byForm, FORM } from '../support/form.js';
import { runProgram } from '../support/run-program.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { type Mutation, mutatedPackage } from './mutated-package.js';

/** Kills enough that records are on their way at one of them, and recovery that may take what it takes. */
const ARGS = [
  ...[
    'burst',
    '--json',
    '--durability',
    'os',
    '--rate',
    '15000',
    '--baseline',
    '500',
    '--baseline-seconds',
    '1',
  ],
  ...['--seconds', '2', '--producers', '1', '--agents', '500', '--kill', 'server@0.4,server@1,server@1.6'],
  ...['--max-recovery', '120'],
];

const ATTEMPTS = 4;

interface Case {
  readonly bug: string;
  readonly mutation: Mutation;
  /** What the burst test must find. */
  readonly finds: (outcome: BurstOutcome) => boolean;
}

const CASES: readonly Case[] = [
  {
    bug: 'acknowledges before the log has it',
    mutation: {
      file: 'journal/append/appender.js',
      from: '#send(pending) {',
      to: `#send(pending) {
        this.told = (this.told ?? this.#options.epoch) + 1;
        pending.settle(E.right({ seq: this.told, n: pending.n }));
        pending.settle = () => undefined;`,
    },
    finds: ({ lost }) => lost > 0,
  },
  {
    bug: 'skips a retry',
    mutation: {
      file: 'journal/producer/waiting-records.js',
      from: 'rest.push({ ...waiting, n: null });',
      to: 'settle(E.right({ seq: last + index + 1, n }));',
    },
    finds: ({ lost }) => lost > 0,
  },
  {
    bug: 'loses the tail of what waits after a reconnect',
    mutation: {
      file: 'journal/producer/producer.js',
      from: 'const waiting = this.#waiting;',
      to: `const waiting = this.#waiting.slice(0, -3);
        for (const each of this.#waiting.slice(-3)) each.settle(E.right({ seq: epoch + 1, n: 1 }));`,
    },
    finds: ({ lost }) => lost > 0,
  },
  {
    bug: 'sends again what is stored',
    mutation: {
      file: 'journal/producer/waiting-records.js',
      from: 'const found = all.map(({ n, draft }) => (n === null ? undefined : find(n, draft)));',
      to: 'const found = all.map(() => undefined);',
    },
    finds: ({ duplicated, reordered }) => duplicated + reordered > 0,
  },
];

/** In the short form one of them, drawn by lot. */
const drawn = byForm({
  short: [...CASES].sort(() => Math.random() - 0.5).slice(0, 1),
  deep: CASES,
});

describe('the burst test finds what a bug in the journal does', () => {
  let dir: TempDir;
  before(() => {
    dir = tempDir();
  });
  after(() => dir[Symbol.asyncDispose]());

  const burst = async (
    name: string,
    mutation?: Mutation,
  ): Promise<{ code: number | null; out: BurstOutcome }> => {
    const home = join(dir.path, name);
    mkdirSync(home);
    const program = mutatedPackage(home, mutation);
    const { code, stdout, stderr } = await runProgram(process.execPath, [program, ...ARGS], {
      timeoutMs: 240_000,
    });
    assert.ok(stdout.startsWith('{'), stderr);
    return { code, out: JSON.parse(stdout) as BurstOutcome };
  };

  // The test of the burst itself runs a sound package in every form.
  if (FORM !== 'short') {
    it('I1 I2 finds nothing where there is none', async () => {
      const { code, out } = await burst('sound');
      assert.deepEqual(out.reasons, []);
      assert.equal(code, 0);
      assert.ok(out.ok && out.acked > 0 && out.faults.length === 3);
    });
  }

  for (const [i, { bug, mutation, finds }] of drawn.entries()) {
    it(`finds a journal that ${bug}`, async () => {
      // A bug does harm only if records are on their way at a kill. On a busy machine the three kills can all miss them.
      for (let attempt = 1; ; attempt += 1) {
        const { code, out } = await burst(`bug-${i}-${attempt}`, mutation);
        if (code === 0 && attempt < ATTEMPTS) continue;
        assert.equal(code, 1);
        assert.ok(finds(out), JSON.stringify({ ...out, reasons: out.reasons.slice(0, 4) }));
        return;
      }
    });
  }
});
