import { commandTimesIn } from '../../schemas/command-times.js';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { type Beat, EpochEndSchema, type StartRequest } from '../../schemas/control.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { commandConsumer, LOG } from '../../schemas/log.js';
import { compileOnUse } from '../../schemas/validate.js';
import type { Stacks } from '../dead/stacks.js';
import type { ModuleFloods } from '../supervisor/module-floods.js';
import type { SupervisedModule } from '../supervisor/supervised-module.js';
import type { SupervisedModules } from '../supervisor/supervised-modules.js';
import { type Body, type Handler, serveRequests } from '../serving/serve-requests.js';
import type { Listening } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';

const count = (value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;

const checkEnd = compileOnUse<NonNullable<StartRequest['previous']>>(
  EpochEndSchema,
  'PAYLOAD_INVALID',
  'previous',
);

const startRequest = (body: Readonly<Record<string, unknown>>): E.Either<Fault, StartRequest> => {
  const request = {
    snapshotSeq: count(body.snapshotSeq),
    logId: typeof body.logId === 'string' ? body.logId : null,
    ...(typeof body.instance === 'string' ? { instance: body.instance } : {}),
  };
  if (body.previous === undefined) return E.right(request);
  return pipe(
    checkEnd(body.previous),
    E.map((previous) => ({ ...request, previous })),
  );
};

const timesOf = (body: Body): Pick<Beat, 'times'> => {
  const times = commandTimesIn(body.times);
  return times === undefined ? {} : { times };
};

const unsavedOf = ({ unsaved }: Body): Pick<Beat, 'unsaved'> =>
  typeof unsaved === 'number' && Number.isSafeInteger(unsaved) && unsaved >= 0 ? { unsaved } : {};

const beat = (body: Body): Beat => ({
  pid: count(body.pid),
  handled: count(body.handled),
  pending: count(body.pending),
  agents: count(body.agents),
  folded: count(body.folded),
  ...unsavedOf(body),
  ...timesOf(body),
});

const DONE = TE.right({ ok: true });
const OF_ANOTHER_BROKER = TE.right(undefined);

/** The parts that answer modules. */
interface ControlParts {
  readonly stacks: Stacks;
  readonly jsm: Pick<JetStreamManager, 'consumers'>;
}

const verbs = new Map<string, (module: SupervisedModule, parts: ControlParts) => Handler>(
  Object.entries({
    start: (module: SupervisedModule) => (body: Body) =>
      pipe(
        TE.fromEither(startRequest(body)),
        TE.chain((request) => module.starts(request)),
        TE.map((reply): object => reply),
      ),
    ready: (module: SupervisedModule) => () => {
      module.isReady();
      return DONE;
    },
    calls: (module: SupervisedModule) => (body: Body) =>
      pipe(
        module.recordedCalls(count(body.cause), count(body.from)),
        TE.map((reply): object => reply),
      ),
    step: (module: SupervisedModule) => (body: Body) =>
      module.recordedStep(count(body.cause), count(body.call)),
    wakes: (module: SupervisedModule) => (body: Body) => module.wakesAfter(count(body.after)),
    cancelled: (module: SupervisedModule) => (body: Body) =>
      TE.right<Fault, object>(module.cancelledCommands(count(body.after))),
    beat: (module: SupervisedModule) => (body: Body) => {
      module.beats(beat(body));
      return DONE;
    },
    configured: (module: SupervisedModule) => (body: Body) => {
      const { version, problem } = body;
      module.configured({
        version: count(version),
        ...(typeof problem === 'string' ? { problem } : {}),
      });
      return DONE;
    },
    threw:
      ({ name }: SupervisedModule, { stacks }: ControlParts) =>
      ({ command, stack }: Body) => {
        if (count(command) > 0 && typeof stack === 'string') stacks.note(name, count(command), stack);
        return DONE;
      },
    // In the words of the server: it is a client of NATS that asks.
    consumer:
      ({ name }: SupervisedModule, { jsm }: ControlParts) =>
      () =>
        TE.tryCatch(
          (): Promise<object> => jsm.consumers.info(LOG, commandConsumer(name)),
          (error) => fault('INTERNAL', `the consumer is not known: ${(error as Error).message}`),
        ),
  }),
);

/** A program that does not say which process it is may be any. */
const fromItsProcess =
  (module: SupervisedModule, handler: Handler): Handler =>
  (body) =>
    body.instance === undefined || body.instance === module.processInstance
      ? handler(body)
      : OF_ANOTHER_BROKER;

/** In a flood only the process that the broker started is heard: it may be the next one, after a cut. */
const onlyItsProcess =
  (module: SupervisedModule, handler: Handler): Handler =>
  (body) =>
    body.instance === module.processInstance ? handler(body) : OF_ANOTHER_BROKER;

/**
 * Serves `ctl.<module>.start|ready|calls|step|wakes|cancelled|configured|beat|threw|consumer`; the server lets each
 * module use its own name only.
 */
export const serveControl = (
  nc: NatsConnection,
  modules: SupervisedModules,
  parts: ControlParts,
  floods: ModuleFloods,
): Listening =>
  serveRequests(nc, SERVED.control, (subject) => {
    const [, name = '', verb = ''] = subject.split('.');
    const module = modules.find(name);
    const handler = verbs.get(verb);
    if (handler === undefined) return undefined;
    if (module === undefined)
      return () => TE.left<Fault>(fault('MODULE_UNKNOWN', `there is no module ${name}`));
    const heard = floods.isControlFlood(name, verb) ? onlyItsProcess : fromItsProcess;
    return heard(module, handler(module, parts));
  });
