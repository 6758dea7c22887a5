import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection, Subscription } from 'nats';
import type { Beat, StartRequest } from '../../schemas/control.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { SupervisedModule } from '../supervisor/supervised-module.js';
import type { Supervisor } from '../supervisor/supervisor.js';
import { type Handler, serveRequests } from './serve.js';

const count = (value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;

const startRequest = (body: Readonly<Record<string, unknown>>): StartRequest => ({
  snapshotSeq: count(body.snapshotSeq),
  logId: typeof body.logId === 'string' ? body.logId : null,
});

const beat = (body: Readonly<Record<string, unknown>>): Beat => ({
  pid: count(body.pid),
  handled: count(body.handled),
  pending: count(body.pending),
  agents: count(body.agents),
});

const DONE = TE.right({ ok: true });

const verbs: Readonly<Record<string, (module: SupervisedModule) => Handler>> = {
  start: (module) => (body) =>
    pipe(
      module.starts(startRequest(body)),
      TE.map((reply): object => reply),
    ),
  ready: (module) => () => {
    module.isReady();
    return DONE;
  },
  beat: (module) => (body) => {
    module.beats(beat(body));
    return DONE;
  },
};

/** Serves `ctl.<module>.start|ready|beat`; the server lets each module use its own name only. */
export const serveControl = (nc: NatsConnection, supervisor: Supervisor): Subscription =>
  serveRequests(nc, 'ctl.*.*', (subject) => {
    const [, name, verb] = subject.split('.');
    const module = supervisor.find(name ?? '');
    const handler = verbs[verb ?? ''];
    if (handler === undefined) return undefined;
    if (module === undefined)
      return () => TE.left<Fault>(fault('MODULE_UNKNOWN', `there is no module ${name}`));
    return handler(module);
  });
