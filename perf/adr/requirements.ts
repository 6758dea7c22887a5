import { formatNumber } from '../../text/numbers.js';
import type { Idle } from '../agents/idle.js';
import type { BurstOutcome } from '../burst/burst-outcome.js';
import type { Ratios } from '../lookup/part.js';
import type { ClockCalls, TimesOfCalls } from './clock-calls.js';
import type { LoadScenario } from './load-scenarios.js';
import {
  atLeast,
  atMost,
  byConstruction,
  doesNotApply,
  inPart,
  notMeasured,
  type AdrNumber,
} from './verdicts.js';

/** What a benchmark measured. Of what it leaves out, no number has a verdict. */
export interface AdrFigures {
  readonly calls: ClockCalls<TimesOfCalls>;
  readonly appendedPerSecond: number;
  readonly ratios: Ratios;
  readonly idle?: Idle;
  readonly loads: readonly {
    readonly scenario: LoadScenario;
    readonly seconds: number;
    readonly outcome: BurstOutcome;
  }[];
}

const MB = 1e6;
const US = 1_000;
const NO_CLUSTER = 'one log has one broker; between machines there is NATS only';
const STORED = 'a message is a record that the server has stored before it is routed';

const routing = ({ calls }: AdrFigures): readonly AdrNumber[] =>
  inPart('routing', [
    atMost('local routing, p50', 100, calls.routing.p50Us, 'us', STORED),
    atMost('local routing, p99', 1_000, calls.routing.p99Us, 'us', STORED),
    doesNotApply('remote routing, p50 and p99', '5 ms and 50 ms', NO_CLUSTER),
    atMost(
      'agent start-up, p50',
      10,
      calls.firstCommand.p50Us / US,
      'ms',
      'the first command makes the agent',
    ),
    atMost(
      'agent start-up, p99',
      100,
      calls.firstCommand.p99Us / US,
      'ms',
      'the first command makes the agent',
    ),
    atMost('message processing, p50', 1, calls.processing.p50Us / US, 'ms', 'with the result stored'),
    atMost('message processing, p99', 10, calls.processing.p99Us / US, 'ms', 'with the result stored'),
  ]);

const throughput = ({ calls, appendedPerSecond }: AdrFigures): readonly AdrNumber[] =>
  inPart('throughput', [
    atLeast('messages a second, stored', 100_000, appendedPerSecond, '/s', 'one producer of the journal'),
    atLeast(
      'messages a second, as durable calls',
      100_000,
      calls.perSecond,
      '/s',
      'two records and a reply each',
    ),
    byConstruction('concurrent agents', '10,000', 'an agent is a state; npm run test:scale runs 10,000'),
    byConstruction('active conversations', '50,000', 'npm run test:scale opens 50,000'),
    doesNotApply('cluster, messages a second and agents', '1,000,000 /s and 100,000', NO_CLUSTER),
  ]);

const memory = ({ calls, idle }: AdrFigures): readonly AdrNumber[] =>
  inPart('memory', [
    atMost('base memory', 100, calls.baseBytes / MB, 'MB', 'server, broker and the host of one module'),
    atMost('an agent: heap, stack, overhead', 13 * MB, idle?.bytesPerHeld, 'bytes', 'a state in its host'),
    byConstruction('table elements, instances of an agent', '10,000 and 10', 'an agent has no process'),
    byConstruction('message buffer', '500 MB', 'a producer holds 64 MiB at most, then OVERLOADED'),
    atMost(
      'memory of 10,000 agents by the formula',
      130_600,
      idle && (calls.baseBytes + 10_000 * idle.bytesPerHeld) / MB,
      'MB',
      'base and states; the host keeps some 64 MiB of states at most',
    ),
  ]);

const processor = (): readonly AdrNumber[] =>
  inPart('processor', [
    doesNotApply('an agent: shares and bursts', '0.1 cores, twice that', 'an agent has no process'),
    doesNotApply('reserved cores', '0.5 and 0.5', 'the broker reserves none'),
    doesNotApply(
      'concurrent executions',
      '2 x cores',
      'a module is one process; it may wait for 100 effects',
    ),
    byConstruction(
      'time slice',
      '10 ms',
      'none; a handler that does not return is ended after limits.hangMs',
    ),
  ]);

const network = (): readonly AdrNumber[] =>
  inPart('network', [
    doesNotApply('gossip: interval, fan-out, packets, convergence', '200 ms, 3, 1,400 bytes', NO_CLUSTER),
    doesNotApply('bandwidth, round trips, connections between nodes', '10 Mbps, 10 ms, 1,000', NO_CLUSTER),
    byConstruction('idle connection', '60 s', 'the broker asks each connection whether it lives'),
  ]);

const storage = ({ ratios }: AdrFigures): readonly AdrNumber[] => {
  const { stateWriteP50Ms, stateWriteP99Ms, getP50Us10k, getP99Us10k } = ratios;
  const write = '10,000 events a second into 10,000 agents, seen by another process';
  return inPart('storage', [
    atMost('state write, p50', 1, stateWriteP50Ms, 'ms', write),
    atMost('state write, p99', 10, stateWriteP99Ms, 'ms', write),
    atMost('agent lookup, p50', 100, getP50Us10k, 'us', 'by another process, of 10,000 agents'),
    atMost('agent lookup, p99', 1_000, getP99Us10k, 'us', 'by another process, of 10,000 agents'),
    byConstruction('batch of writes', '1,000 records', 'a group of the journal; a batch has 1,000 at most'),
    byConstruction('WAL: interval and size', '10 s and 100 MB', 'the log is the WAL; snapshots follow it'),
    byConstruction('page cache, statements', '50 MB and 100', 'LMDB maps its file; there are no statements'),
  ]);
};

const limits = (): readonly AdrNumber[] =>
  inPart('limits', [
    byConstruction('agents of an instance', '10,000', 'npm run perf -- lookup has 1,000,000'),
    notMeasured('messages at the same time', '100,000', 'npm run perf -- calls has 1,024 in flight'),
    byConstruction('queue depth', '1,000,000', 'the limit of the consumer of a module'),
    notMeasured('connections', '10,000', '--max-connections takes up to 8,000'),
    doesNotApply('cluster: nodes, agents, messages, scaling', '100, 1,000,000, 10,000,000 /s', NO_CLUSTER),
  ]);

const monitoring = (): readonly AdrNumber[] =>
  inPart('monitoring', [
    byConstruction('counters, gauges and the alert for p99', '12 metrics', '/metrics and deploy/prometheus'),
    doesNotApply('benchmark of gossip', 'convergence', NO_CLUSTER),
    byConstruction('benchmarks of routing, start-up, processing', 'verify_requirements', 'this table'),
  ]);

const share = (value: number): string => `${Number((value * 100).toPrecision(3))} %`;

const load = ({ scenario, seconds, outcome }: AdrFigures['loads'][number]): readonly AdrNumber[] => {
  const { name, perSecond, agents, p99Ms, errorRate, recoverySeconds } = scenario;
  const { acked, offered, lost, achievedRate, deliveryMs, latencyMs } = outcome;
  const errors = 1 - acked / offered;
  const length = `${formatNumber(seconds)} s of ${formatNumber(scenario.seconds.full)} s, ${formatNumber(agents)} agents`;
  return inPart(name, [
    atLeast('messages a second', perSecond, achievedRate, '/s', length),
    ...(p99Ms === undefined
      ? []
      : [
          atMost('p99 until stored', p99Ms, latencyMs.burst.p99 ?? Number.POSITIVE_INFINITY, 'ms', length),
          atMost(
            'p99 until delivered',
            p99Ms,
            deliveryMs.burst.p99 ?? Number.POSITIVE_INFINITY,
            'ms',
            length,
          ),
        ]),
    {
      what: 'errors',
      asked: `at most ${share(errorRate)}`,
      measured: share(errors),
      verdict: errors <= errorRate ? 'met' : 'not met',
      why: errors > 0 ? 'refused with OVERLOADED, and told' : '',
    },
    atMost('acknowledged and lost', 0, lost, 'records', 'read back from the log'),
    ...(recoverySeconds === undefined
      ? []
      : [atMost('recovery', recoverySeconds, outcome.recoverySeconds ?? Number.POSITIVE_INFINITY, 's')]),
  ]);
};

/** All numbers of the ADR, in its order. */
export const requirements = (figures: AdrFigures): readonly AdrNumber[] => [
  ...routing(figures),
  ...throughput(figures),
  ...memory(figures),
  ...processor(),
  ...network(),
  ...storage(figures),
  ...limits(),
  ...monitoring(),
  ...figures.loads.flatMap(load),
];
