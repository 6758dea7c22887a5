import { Counter, Gauge, Registry } from 'prom-client';
import type { AccountUsage } from '../../schemas/account-usage.js';
import type { BrokerStatus, ModuleStats, ModuleStatus } from '../../schemas/operate.js';
import type { ListedSubscription } from '../../schemas/subscription.js';
import { callHistogram } from './call-histogram.js';

const PREFIX = 'tallystick_';

/** What one scrape shows. */
export interface Observed {
  readonly status: BrokerStatus;
  readonly stats: readonly ModuleStats[];
}

type Labels = Readonly<Record<string, string>>;

/** Writes values into a registry, each with a name and a help. A value that is not known is left out. */
class Values {
  readonly #gauges = new Map<string, Gauge>();

  constructor(private readonly registry: Registry) {}

  set(name: string, help: string, value: number | null | undefined, labels: Labels = {}): void {
    if (value === null || value === undefined) return;
    const known = this.#gauges.get(name);
    const gauge =
      known ??
      new Gauge({ name: PREFIX + name, help, labelNames: Object.keys(labels), registers: [this.registry] });
    this.#gauges.set(name, gauge);
    gauge.set(labels, value);
  }
}

const logValues = (values: Values, { log }: BrokerStatus): void => {
  values.set('log_records', 'Records in the log.', log.records);
  values.set('log_bytes', 'Bytes of the log.', log.bytes);
  values.set('log_max_bytes', 'The limit of the log, in bytes.', log.maxBytes);
  values.set('log_reserve_bytes', 'The part of the limit that new commands do not get.', log.reserveBytes);
  values.set('log_last_sequence', 'The sequence of the last record.', log.lastSeq);
  values.set('log_refuses', '1: the broker takes no new command.', log.refusal === null ? 0 : 1);
};

const moduleValues = (values: Values, module: ModuleStatus): void => {
  const labels = { module: module.name };
  values.set('module_up', '1: the module handles commands.', module.state === 'loaded' ? 1 : 0, labels);
  values.set(
    'module_parked',
    '1: the module has crashed too often, or cannot start.',
    module.state === 'crashed' ? 1 : 0,
    labels,
  );
  values.set('module_restarts', 'Restarts since the module was loaded.', module.restarts, labels);
  values.set('module_lag', 'Commands that wait to be handled.', module.lag, labels);
  values.set('module_events_waiting', 'Events that wait to be brought to it.', module.eventsWaiting, labels);
  values.set(
    'module_cpu_percent',
    'Processor time of its process, percent of one core.',
    module.cpuPercent,
    labels,
  );
  values.set('module_memory_bytes', 'Memory of its process.', module.rssBytes, labels);
};

const subscriptionValues = (values: Values, { account, name, lag }: ListedSubscription): void =>
  values.set('subscription_lag', 'Events that a program has not acknowledged.', lag, { account, name });

const accountValues = (values: Values, usage: AccountUsage): void => {
  const labels = { account: usage.account };
  values.set('account_requests_in_flight', 'Requests without a reply.', usage.inFlight, labels);
  values.set('account_commands_open', 'Commands without a result.', usage.open, labels);
  values.set('account_log_bytes', 'Bytes of its records in the log.', usage.logBytes, labels);
};

/** Since the modules were loaded: a module that is loaded again begins at 0, as counters may. */
const countActions = (registry: Registry, stats: readonly ModuleStats[]): void => {
  const labelNames = ['module', 'action'] as const;
  const counter = (name: string, help: string): Counter<(typeof labelNames)[number]> =>
    new Counter({ name: PREFIX + name, help, labelNames, registers: [registry] });
  const commands = counter('commands_total', 'Commands that have a result.');
  const calls = counter('calls_total', 'Calls that were taken or refused.');
  const errors = counter('call_errors_total', 'Calls whose result is not ok, and refused calls.');
  for (const { name: module, actions } of stats)
    for (const { action, ...counts } of actions) {
      commands.inc({ module, action }, counts.commands);
      calls.inc({ module, action }, counts.calls);
      errors.inc({ module, action }, counts.errors);
    }
};

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

/**
 * The metrics of a broker, as Prometheus reads them. Labels are names of modules, actions and accounts: `status` lists
 * at most 50 accounts, and nobody but an operator loads modules.
 */
export const brokerMetrics = ({ status, stats }: Observed): Registry => {
  const registry = new Registry();
  const values = new Values(registry);
  logValues(values, status);
  values.set('agents', 'Agents with a state.', status.agents);
  values.set(
    'conversations_open',
    'Conversations with a command that has no result.',
    status.conversationsOpen,
  );
  values.set('requests_waiting', 'Requests that wait for their turn.', sum(status.requestsWaiting));
  values.set(
    'calls_dropped',
    'Calls since the start that were not stored, because the connection of the caller had closed.',
    sum(status.callsDropped ?? {}),
  );
  values.set('log_losses', 'Losses of records that the broker has found.', status.losses.length);
  for (const module of status.modules) moduleValues(values, module);
  for (const subscription of status.subscriptions ?? []) subscriptionValues(values, subscription);
  for (const usage of status.accounts ?? []) accountValues(values, usage);
  countActions(registry, stats);
  // It has the shape that the registry asks of a metric; the type asks for one of its classes.
  registry.registerMetric(callHistogram(stats) as never);
  return registry;
};
