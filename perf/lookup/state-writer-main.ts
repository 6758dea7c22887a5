/**
 * The process that plays a module's host for `stateWrite`: appends results to the log, and folds each once it is in
 * there.
 */
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { connect } from 'nats';
import { Snapshots } from '../../store/snapshots/snapshots.js';
import accounts from '../../modules/accounts/index.js';
import { States } from '../../modules/host/states.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { FaultError } from '../../schemas/errors.js';
import { encodeJson } from '../../schemas/json.js';
import type { Result } from '../../schemas/result.js';
import { openProducer } from '../journal/load.js';
import { startPace, type Pace } from './pace.js';
import { agentNamed, MODULE } from './stores/population.js';
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import { pause } from '../../system/async/pause.js';

export interface StateWriterSetting {
  readonly url: string;
  readonly dataDir: string;
}

export type StateWriterQuestions = {
  readonly write: {
    readonly ask: { readonly agents: number; readonly perSecond: number };
    readonly answer: null;
  };
  /** Events a second that were in the log, once all are in the snapshots. */
  readonly stop: {
    readonly ask: null;
    readonly answer: { readonly perSecond: number; readonly lastSeq: number };
  };
};

const { url, dataDir } = settingOf<StateWriterSetting>();
const fail = (line: string): never => {
  throw new Error(line);
};

const nc = await connect({ servers: url });
const producer = await openProducer(nc, 'os');
const snapshots = await Snapshots.open(join(dataDir, 'snapshots', MODULE), 'none', fail);
const states = new States(accounts as unknown as AnyModule, snapshots.generation, 'bench', fail);
snapshots.publish();

const AMOUNT = { amount: 1 };
const EVENTS = [{ name: 'deposited', data: AMOUNT }] as const;

/** The result of a deposit, as the module's host writes it. */
const resultOf = (agent: string, n: number): Uint8Array => {
  const out = [{ subject: `evt.${MODULE}.deposited.${agent}`, id: `${n}/1`, data: AMOUNT }];
  return encodeJson({ status: 'ok', data: { balance: n }, out } satisfies Result);
};

let sent = 0;
let stored = 0;
let lastSeq = 0;
let pace: Pace | undefined;

const append = (agents: number): void => {
  const agent = agentNamed(sent % agents);
  sent += 1;
  const draft = { subject: `res.${MODULE}.deposit.${agent}`, data: resultOf(agent, sent) };
  producer.submit(draft, (outcome) => {
    if (isLeft(outcome)) throw new FaultError(outcome.left);
    stored += 1;
    lastSeq = outcome.right.seq;
    states.apply(agent, lastSeq, Date.now(), EVENTS);
  });
};

answerQuestions<StateWriterQuestions>({
  write: ({ agents, perSecond }) => {
    pace = startPace(perSecond, (count) => {
      for (let i = 0; i < count; i++) append(agents);
    });
    return null;
  },
  stop: async () => {
    if (pace === undefined) return fail('it does not write');
    const { events, seconds } = await pace.stop();
    while (stored < sent) await pause(1);
    await states.saved();
    return { perSecond: events / seconds, lastSeq };
  },
});
