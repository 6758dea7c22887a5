import { Seeded } from '../support/seeded.js';
import { percentile } from '../../perf/bench/percentiles.js';
import { described, type FamilyName } from './families/families.js';
import { pickWeighted } from './generate/pick-weighted.js';
import { Health } from './health.js';
import type { Input, Known } from './input.js';
import { lastChecks } from './last-checks.js';
import { type FuzzOptions, MODULE_SHARE } from './options.js';
import { Sender } from './sender.js';
import { Tally } from './tally.js';
import { World } from './world.js';

/** So many inputs are sent between two looks at the broker. */
const THOUSAND = 1_000;
const SAY_EVERY_MS = 10_000;
/** With more findings than this a part of the run ends: the first are to be mended. */
const MAX_FINDINGS = 30;

export interface FuzzReport {
  readonly inputs: number;
  readonly seconds: number;
  readonly findings: Tally['findings'];
  readonly lines: readonly string[];
}

/** Other numbers for each input, and the same ones for the same input. */
const randomOf = (seed: number, index: number, salt: number): Seeded =>
  new Seeded(Math.imul(seed ^ salt, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca77));

/** Which family an input is of, by the shares of those that take part. */
const familyAt = (names: readonly FamilyName[], seed: number, index: number): FamilyName =>
  pickWeighted(
    randomOf(seed, index, 0x51ed27),
    names.map((name) => [described(name).share, name] as const),
  );

const inputAt = (family: FamilyName, seed: number, index: number, known: Known): Input =>
  described(family).family(randomOf(seed, index, 0), known);

interface Part extends FuzzOptions {
  readonly withMallory: boolean;
}

/** The module's inputs go to a broker of their own: what people do to a log must leave it without a finding. */
const partsOf = ({ only, inputs, ...rest }: FuzzOptions): readonly Part[] => {
  const isModules = (name: FamilyName): boolean => described(name).module === true;
  const people = only.filter((name) => !isModules(name));
  const modules = only.filter(isModules);
  const share = modules.length === 0 ? 0 : people.length === 0 ? 1 : MODULE_SHARE;
  const ofModules = Math.round((inputs * share) / THOUSAND) * THOUSAND;
  const parts = [
    { ...rest, only: people, inputs: share === 1 ? 0 : inputs - ofModules, withMallory: false },
    { ...rest, only: modules, inputs: share === 1 ? inputs : ofModules, withMallory: true },
  ];
  return parts.filter((part) => part.inputs > 0);
};

const ms = (times: readonly number[], share: number): string => {
  const sorted = Float64Array.from(times).sort();
  return `${percentile(sorted, share).toFixed(0)} ms`;
};

const runPart = async (part: Part, tally: Tally, say: (line: string) => void): Promise<readonly string[]> => {
  const { seed, from, inputs, only, withMallory } = part;
  await using world = await World.start(withMallory);
  const health = await Health.begin(world);
  const sender = new Sender(world, tally);
  const repeat = (names: readonly string[], first: number, count: number): string =>
    `npm run test:fuzz -- --seed ${seed} --only ${names.join(',')} --from ${first} --inputs ${count}`;
  const begun = performance.now();
  let saidAt = begun;
  let sent = 0;
  const foundBefore = tally.findings.length;
  const titles = only.join(', ');
  for (
    let first = from;
    first < from + inputs && !world.ended && tally.findings.length - foundBefore < MAX_FINDINGS;
    first += THOUSAND
  ) {
    const count = Math.min(THOUSAND, from + inputs - first);
    for (let index = first; index < first + count && !world.ended; index++) {
      const family = familyAt(only, seed, index);
      const known = { lastSeq: health.last?.log.lastSeq ?? 10 };
      await sender.send(inputAt(family, seed, index, known), repeat([family], index, 1));
    }
    await sender.drain();
    sent += count;
    for (const what of await health.check()) tally.find({ what, repeat: repeat(only, first, count) });
    if (performance.now() - saidAt < SAY_EVERY_MS) continue;
    saidAt = performance.now();
    const perSecond = sent / ((saidAt - begun) / 1_000);
    const left = Math.round((inputs - sent) / perSecond);
    const { lastSeq, bytes } = health.last?.log ?? { lastSeq: 0, bytes: 0 };
    say(
      `${sent} of ${inputs} (${titles}), ${perSecond.toFixed(0)} a second, ${left} s left; ${lastSeq} records, ${(bytes / 1e6).toFixed(0)} MB; ${health.memory().lines.join('; ')}`,
    );
  }
  const seconds = (performance.now() - begun) / 1_000;
  const all = repeat(only, from, inputs);
  const memory = health.memory();
  for (const what of memory.findings) tally.find({ what, repeat: all });
  if (world.ended) {
    const { code, signal } = await world.broker.exited;
    const said = world.broker.stderr.slice(-30).join('\n');
    tally.find({ what: `the broker ended with ${code ?? signal}:\n${said}`, repeat: all });
  }
  await sender.close();
  if (!world.ended) {
    const found = await lastChecks(world, sender.deposits, withMallory).catch((error: Error) => [
      `the last checks failed: ${error.stack}`,
    ]);
    for (const what of found) tally.find({ what, repeat: all });
  }
  return [
    `${titles}: ${sent} inputs in ${seconds.toFixed(0)} s, ${(sent / seconds).toFixed(0)} a second`,
    `  canary p50 ${ms(health.canaryMs, 0.5)}, p99 ${ms(health.canaryMs, 0.99)}, longest ${ms(health.canaryMs, 1)}; ` +
      `status p99 ${ms(health.statusMs, 0.99)}; tries above a second that the next one was not: ${health.slowTries}`,
    `  log: ${health.last?.log.lastSeq ?? 0} records, ${((health.last?.log.bytes ?? 0) / 1e6).toFixed(0)} MB`,
    `  memory: ${memory.lines.join('; ')}`,
  ];
};

/** Sends the inputs and looks at the broker after each thousand; `say` hears of progress and of each finding at once. */
export const runFuzz = async (options: FuzzOptions, say: (line: string) => void): Promise<FuzzReport> => {
  const begun = performance.now();
  const tally = new Tally(say);
  const lines: string[] = [];
  for (const part of partsOf(options)) lines.push(...(await runPart(part, tally, say)));
  return {
    inputs: tally.inputs,
    seconds: (performance.now() - begun) / 1_000,
    findings: tally.findings,
    lines: [...lines, ...tally.outcomeLines()],
  };
};
