import type { BrokerCounters, TracesCount } from '../../schemas/broker-counters.js';
import type { AccountUsage } from '../../schemas/account-usage.js';
import { DEADLY } from '../../schemas/error-table.js';
import type { BrokerStatus, ModuleStats, ModuleStatus } from '../../schemas/operate.js';
import type { ListedSubscription } from '../../schemas/subscription.js';
import type { ProcessUse } from '../../system/processes/process-use.js';
import { MetricText } from './metric-text.js';
import { ModuleHistograms } from './module-histograms.js';

const PREFIX = 'tallystick_';
/** The text format of Prometheus. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** What one scrape shows. */
export interface Observed {
  readonly status: BrokerStatus;
  readonly stats: readonly ModuleStats[];
  /** Broker, server, and the process that serves HTTP. */
  readonly processes?: Readonly<Record<string, ProcessUse>>;
}

const logValues = (values: MetricText, { log }: BrokerStatus): void => {
  values.set('log_records', 'Records in the log.', log.records);
  values.set('log_bytes', 'Bytes of the log.', log.bytes);
  values.set('log_max_bytes', 'The limit of the log, in bytes.', log.maxBytes);
  values.set('log_reserve_bytes', 'The part of the limit that new commands do not get.', log.reserveBytes);
  values.set('log_last_sequence', 'The sequence of the last record.', log.lastSeq);
  values.set('log_refuses', '1: the broker takes no new command.', log.refusal === null ? 0 : 1);
};

const moduleValues = (values: MetricText, module: ModuleStatus): void => {
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
  values.set('module_asleep', 'Waits of its handlers that are not over.', module.asleep ?? 0, labels);
  values.set(
    'module_cpu_percent',
    'Processor time of its process, percent of one core.',
    module.cpuPercent,
    labels,
  );
  values.set('module_memory_bytes', 'Memory of its process.', module.rssBytes, labels);
};

const subscriptionValues = (values: MetricText, { account, name, lag }: ListedSubscription): void =>
  values.set('subscription_lag', 'Events that a program has not acknowledged.', lag, { account, name });

const accountValues = (values: MetricText, usage: AccountUsage): void => {
  const labels = { account: usage.account };
  values.set('account_requests_in_flight', 'Requests without a reply.', usage.inFlight, labels);
  values.set('account_commands_open', 'Commands without a result.', usage.open, labels);
  values.set('account_log_bytes', 'Bytes of its records in the log.', usage.logBytes, labels);
};

/** Since the modules were loaded: a module that is loaded again begins at 0, as counters may. */
const countActions = (values: MetricText, stats: readonly ModuleStats[]): void => {
  const commands = values.counter('commands_total', 'Commands that have a result.');
  const calls = values.counter('calls_total', 'Calls that were taken or refused.');
  const errors = values.counter('call_errors_total', 'Calls whose result is not ok, and refused calls.');
  for (const { name: module, actions } of stats)
    for (const { action, ...counts } of actions) {
      const labels = { module, action };
      commands.add(labels, counts.commands);
      calls.add(labels, counts.calls);
      errors.add(labels, counts.errors);
    }
};

/** There are none if no traces are exported. */
const traceValues = (values: MetricText, traces: TracesCount): void => {
  values.count('traces_spans_total', 'Spans that the collector took.', traces.exported);
  values.count(
    'traces_failures_total',
    'Requests with spans that the collector did not take. They are sent again.',
    traces.failures,
  );
  values.count('traces_refused_spans_total', 'Spans that the collector refused for ever.', traces.refused);
  values.count(
    'traces_unsampled_spans_total',
    'Spans of traces that the sampler or the sender left out.',
    traces.unsampled,
  );
  values.count(
    'traces_skipped_records_total',
    'Records without spans, because the export was too far behind.',
    traces.skipped,
  );
  values.set('traces_lag', 'Records of the log whose spans are not exported yet.', traces.lag);
};

/** Since the start of the broker. Codes are those of the table of errors. */
const brokerCounts = (
  values: MetricText,
  { refused, dead, journal, indexLag, schedulesLate, network, traces }: BrokerCounters,
  modules: readonly string[],
): void => {
  values.set('journal_pending', 'Records of the broker that are not stored yet.', journal.pending);
  values.set('journal_in_flight', 'Of these, records that are sent.', journal.inFlight);
  values.set('journal_pending_bytes', 'Bytes of the records that are not stored yet, about.', journal.bytes);
  values.set(
    'journal_epoch_sequence',
    'The sequence at which its epoch began; it grows with each epoch.',
    journal.fence,
  );
  values.count('journal_groups_total', 'Groups of records that it has sent as one batch.', journal.groups);
  values.count('journal_grouped_records_total', 'Records in these groups.', journal.grouped);
  values.set('index_lag', 'Records of the log that the index has not read.', indexLag);
  values.set('schedules_late', 'Schedules that are due since more than 5 s.', schedulesLate);
  if (traces !== undefined && traces !== null) traceValues(values, traces);
  values.count('network_received_bytes_total', 'Bytes that the server has received.', network?.inBytes);
  values.count('network_sent_bytes_total', 'Bytes that the server has sent.', network?.outBytes);
  values.set('connections', 'Connections to the server.', network?.connections);
  const refusals = values.counter('refused_requests_total', 'Requests that were refused, by code.');
  for (const [code, count] of Object.entries(refused)) refusals.add({ code }, count);
  const letters = values.counter(
    'dead_letters_total',
    'Dead letters that were stored, by module and code: HANDLER_CRASHED, HANDLER_TIMEOUT and others.',
  );
  // Prometheus sees no increase in a count that begins at 1.
  for (const module of modules) for (const code of DEADLY) letters.add({ module, code }, 0);
  for (const [module, codes] of Object.entries(dead))
    for (const [code, count] of Object.entries(codes)) letters.add({ module, code }, count);
};

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

/**
 * The metrics of a broker, as Prometheus reads them. Labels are names of modules, actions and accounts: `status` lists
 * at most 50 accounts, and nobody but an operator loads modules.
 */
const fill = (values: MetricText, { status, stats, processes = {} }: Observed): void => {
  logValues(values, status);
  values.set(
    'time_seconds',
    'The clock of the machine of the broker, seconds since 1970.',
    Date.now() / 1_000,
  );
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
  for (const { name, pending, agents, unsaved } of stats) {
    const labels = { module: name };
    values.set('module_pending', 'Commands that its process handles or holds.', pending, labels);
    values.set(
      'module_snapshot_lag',
      'Changes of states that its process has not written to the snapshots.',
      unsaved,
      labels,
    );
    values.set('module_agents_active', 'Agents whose state its process holds.', agents, labels);
  }
  values.count(
    'records_dropped_total',
    'Records that the log had and has no more. It stays 0, unless the log was damaged.',
    status.losses.reduce((total, { seenSeq, agreesTo }) => total + Math.max(0, seenSeq - agreesTo), 0),
  );
  for (const [name, use] of Object.entries(processes)) {
    const labels = { process: name };
    values.set('process_memory_bytes', 'Memory of a process of the broker.', use.rssBytes, labels);
    values.count('process_cpu_seconds_total', 'Processor time that it has used.', use.cpuMs / 1_000, labels);
  }
  const names = status.modules.map(({ name }) => name);
  if (status.counters !== undefined) brokerCounts(values, status.counters, names);
  countActions(values, stats);
};

/** Makes the text of a scrape. It keeps what is the same in the next one. */
export class BrokerMetrics {
  readonly #values = new MetricText(PREFIX);
  readonly #histograms = new ModuleHistograms();
  readonly contentType = CONTENT_TYPE;

  text(observed: Observed): string {
    fill(this.#values, observed);
    return `${this.#values.write()}\n\n${this.#histograms.write(observed.stats)}\n`;
  }
}
