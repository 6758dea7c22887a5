import { LOG } from '../../schemas/log.js';
import { CREATE_CONSUMER, PULL_CONSUMER } from '../../schemas/operate.js';
import { PRODUCER_SUBJECTS, SIGNED_PRODUCER_SUBJECTS } from '../../schemas/producer-requests.js';

/**
 * Every subject that the broker serves in the account of the log: of people's, the sender is the last token. The table
 * in docs/reference/protocol.md has the same rows, and the tests that send invalid requests go through all of them.
 */
export const SERVED = {
  /** Commands of people. */
  commands: 'send.>',
  /** Calls of actions, by people. */
  calls: 'ask.>',
  /** Calls of actions, by modules: they use another connection than people's. */
  moduleCalls: 'call.>',
  /** Requests for commands that are to be sent later, by people. */
  schedules: 'schedule.>',
  /** Epochs of people's programs. */
  producers: SIGNED_PRODUCER_SUBJECTS,
  /** The same of programs within the account of the log. */
  trustedProducers: PRODUCER_SUBJECTS,
  /** Results of commands that were sent before, asked by people. */
  results: 'result.>',
  /** Commands that people cancel. */
  cancels: 'cancelling.>',
  /** Commands that people restart. */
  restarts: 'restarting.>',
  /** Signals to agents, by people. The stream has `signal.…` itself. */
  signals: 'signalling.>',
  /** Promises that people end. */
  promises: 'promising.>',
  /** Subscriptions of people's programs. */
  subscriptions: 'subscription.>',
  /** What agents are now, asked by people. */
  states: 'state.>',
  /** Discovery as NATS services have it, by people: `$SRV.…` for them. */
  discovery: 'discover.>',
  /** What modules say of themselves. */
  control: 'ctl.*.*',
  /** What operators ask. */
  operations: 'ops.>',
  /** What operators ask about principals and their tokens; the sender is the last token. */
  access: 'access.*.*',
  /** Consumers that operators make. */
  consumers: `${CREATE_CONSUMER}.>`,
  /** What operators pull from them. */
  pulls: `${PULL_CONSUMER}.${LOG}.>`,
} as const;
