import { FAIL_POINTS, type FailAction, type FailPoint } from '../../system/processes/fail-point.js';
import type { Seeded } from '../support/seeded.js';
import { type FaultRig, MODULES, type ProcessName } from './fault-rig.js';

/** Passed once in each start of a module's host. */
const HOST_START: ReadonlySet<FailPoint> = new Set([
  'host.starting',
  'host.epoch-opened',
  'host.folding',
  'host.folded',
  'host.ready',
]);

/** Passed by the broker when a module starts; those of epochs also when the broker does. */
const MODULE_START: ReadonlySet<FailPoint> = new Set([
  'epoch.fenced',
  'epoch.opened',
  'repair.appended',
  'repair.acknowledged',
  'start.consumer-reset',
]);

/** Points that are not passed by every command: which passing there surely is within a second of load. */
const LAST_PASSING: Partial<Record<FailPoint, number>> = {
  'host.starting': 1,
  'host.epoch-opened': 1,
  'host.folding': 2,
  'host.folded': 1,
  'host.ready': 1,
  'host.checkpointed': 5,
  'host.snapshot-begun': 3,
  'host.snapshot-written': 3,
  'effect.begun': 8,
  'effect.calling': 8,
  'effect.answered': 8,
  'unowned.answering': 8,
  'unowned.answered': 8,
  'epoch.fenced': 3,
  'epoch.opened': 3,
  'repair.appended': 2,
  'repair.acknowledged': 2,
  'start.consumer-reset': 2,
  'index.saving': 2,
  'index.saved': 2,
};

/**
 * What an operator asks for is no part of the load: see kills-of-operations.test.ts. Nor are steps, cancels, and events that modules
 * listen to, and waits: see steps.test.ts, cancels.test.ts, hearing-kills.test.ts and sleeps.test.ts.
 */
export const isPassedUnderLoad = (point: FailPoint): boolean =>
  !/^(cancel|config|erase|firing|hearing|module|signal|step|unowned|wait|wake)\./.test(point);

/** The processes that pass a point under the load. */
export const processesAt = (point: FailPoint): readonly ProcessName[] => {
  if (point.startsWith('host.')) return ['accounts', 'orders'];
  if (point.startsWith('effect.')) return ['orders'];
  return point === 'journal.batching' ? ['accounts'] : ['broker'];
};

/** Mostly at once; at times so much later that what was just handed over is on its way, or has arrived. */
const delay = (random: Seeded): string => random.pick(['', '', '', '+0', '+1', '+3']);

/** An entry of a plan. */
export const entry = (random: Seeded, point: FailPoint, action: FailAction): string =>
  `${point}@${random.int(1, LAST_PASSING[point] ?? 30)}${delay(random)}:${action}`;

/** What makes a module start again, where the point is in a module's start. */
const restarts = (random: Seeded, action: FailAction): string =>
  entry(random, random.pick(['host.decided', 'host.appended', 'host.acknowledged', 'host.finished']), action);

const repeat = <T>(times: number, make: () => T): readonly T[] => Array.from({ length: times }, make);

/**
 * What a process does at a point, a line for each of its lives: its connections are cut there so many times, then it is
 * killed there, so many times in all.
 */
const linesAt = (random: Seeded, point: FailPoint, times: number): readonly string[] => {
  let passing = 0;
  // One delay for all: a kill must not overtake the cut before it.
  const later = delay(random);
  const next = (action: FailAction): string => {
    passing += random.int(1, LAST_PASSING[point] ?? 30);
    return `${point}@${passing}${later}:${action}`;
  };
  const first = [...repeat(times, () => next('cut')), next('kill')];
  const rest = repeat(times - 1, () => entry(random, point, 'kill'));
  if (!HOST_START.has(point)) return [first.join(' '), ...rest];
  // A process that runs has passed its start: the first cut has it begin anew. And starts that fail one after the other
  // make the pauses between them grow, so every other life gets as far as handling commands.
  return [
    [restarts(random, 'cut'), ...first].join(' '),
    ...rest.flatMap((kill) => [restarts(random, 'kill'), kill]),
  ];
};

/** Has module after module start, for as long as the broker fails in that. */
const restless = (random: Seeded, times: number): readonly string[] => {
  let passing = 0;
  const cuts = repeat(times * 20, () => {
    passing += random.int(1, 30);
    return `host.acknowledged@${passing}:cut`;
  });
  return [cuts.join(' '), ...repeat(times * 20, () => restarts(random, 'kill'))];
};

/** Cuts connections and kills at a point, so many times each, spread over the processes that pass it. */
export const failAt = async (rig: FaultRig, point: FailPoint, times: number): Promise<void> => {
  const processes = processesAt(point);
  const each = Math.ceil(times / processes.length);
  const wanted = processes.map((name) => [name, rig.fired(name, point) + 2 * each] as const);
  for (const name of processes) await rig.plan(name, linesAt(rig.random, point, each));
  if (MODULE_START.has(point)) await rig.plan('accounts', restless(rig.random, each));
  for (const [name, count] of wanted) await rig.hasFired(name, point, count);
};

/** The points that a process passes in its work, as often as commands come. */
const atWork = (name: ProcessName): readonly FailPoint[] =>
  FAIL_POINTS.filter(isPassedUnderLoad).filter((point) => {
    if (HOST_START.has(point) || MODULE_START.has(point)) return false;
    if (point.startsWith('host.')) return name !== 'broker';
    return processesAt(point).includes(name);
  });

/**
 * Everything at once, by lot: each module is killed, cut off or stopped in its work, and again in its next lives; the
 * broker is killed in some rounds, cut off in others; the server is killed as soon as the first of them has failed.
 * Tells what was planned.
 */
export const failTogether = async (rig: FaultRig): Promise<string> => {
  const { random } = rig;
  const line = (name: ProcessName, actions: readonly FailAction[]): string =>
    entry(random, random.pick(atWork(name)), random.pick(actions));
  const plans = new Map<ProcessName, readonly string[]>();
  for (const name of MODULES) {
    const first = line(name, ['kill', 'kill', 'cut', 'cut', 'stop']);
    const inStart = entry(random, random.pick([...HOST_START]), 'kill');
    plans.set(name, [first, inStart, line(name, ['kill', 'cut'])]);
  }
  const broker = random.pick(['kill', 'cut', undefined] as const);
  if (broker !== undefined) plans.set('broker', [line('broker', [broker])]);
  const before = new Map<ProcessName, { fired: number; pid: number }>();
  for (const name of plans.keys()) before.set(name, { fired: rig.fired(name), pid: await rig.pidOf(name) });
  const firedBefore = rig.fired();
  for (const [name, lines] of plans) await rig.plan(name, lines);
  await rig.until('the first process to fail', () => rig.fired() > firedBefore);
  const server = random.next() < 0.75;
  if (server) rig.killServer();
  for (const [name, { fired, pid }] of before) {
    // At its point, or because of what another one took with it.
    await rig.until(
      `${name} to fail`,
      async () => rig.fired(name) > fired || (await rig.pidOf(name)) !== pid,
    );
  }
  const told = [...plans].map(([name, lines]) => `${name}: ${lines.join(', ')}`);
  return `${told.join('; ')}; the server ${server ? 'killed' : 'left alone'}`;
};
