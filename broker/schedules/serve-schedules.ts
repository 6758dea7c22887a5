import { pipe } from 'fp-ts/lib/function.js';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Msg, NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { CARRIED, HEADER } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import { OPS } from '../../schemas/operate.js';
import { SCHEDULE_HEADER, type WhenHeaders } from '../../schemas/schedule.js';
import type { ModuleDirectory } from '../gateway/directory.js';
import type { Sealing } from '../sealing/sealing.js';
import { replyFault } from '../gateway/reply.js';
import { carriedOf, keyIn, type RequestHeaders, readRequest } from '../gateway/request.js';
import type { Handler } from '../serving/serve-requests.js';
import { type Listening, serve } from '../serving/serve.js';
import type { Entrance } from '../serving/entrance.js';
import { SERVED } from '../serving/served.js';
import { admitSchedule, type ScheduleRequest } from './admit-schedule.js';
import type { Schedules } from './schedules.js';

const ALLOWED: ReadonlySet<string> = new Set([...CARRIED, HEADER.key, ...Object.values(SCHEDULE_HEADER)]);

const whenOf = (headers: RequestHeaders): WhenHeaders =>
  Object.fromEntries(Object.entries(SCHEDULE_HEADER).map(([key, name]) => [key, headers[name]]));

const readSchedule = (
  msg: Msg,
  directory: ModuleDirectory,
  sealing: Pick<Sealing, 'input'>,
): E.Either<Fault, ScheduleRequest> =>
  pipe(
    readRequest(msg, directory, () => ALLOWED),
    E.chain(({ headers, ...signed }) =>
      pipe(
        keyIn(headers),
        E.chain((key) =>
          admitSchedule(
            { ...signed, data: msg.data, headers: carriedOf(headers), when: whenOf(headers), key },
            directory,
            Date.now(),
          ),
        ),
      ),
    ),
    E.chain((request) =>
      pipe(
        sealing.input({ ...request, manifest: directory.find(request.address.module)?.manifest }),
        E.map((data) => ({ ...request, data })),
      ),
    ),
  );

/** Serves `schedule.<module>.<action>[.<agent>]`: takes the command on for later and answers with its schedule. */
export const serveScheduling = (
  nc: NatsConnection,
  schedules: Schedules,
  directory: ModuleDirectory,
  sealing: Pick<Sealing, 'input'>,
  refusal: () => Fault | undefined,
  entrance: Entrance,
): Listening =>
  serve({
    nc,
    subject: SERVED.schedules,
    entrance,
    handle: async (msg) => {
      // No sender waits, and a schedule with an unknown id could hardly be cancelled.
      if (msg.reply === undefined || msg.reply === '') return;
      const added = await pipe(
        TE.fromEither(readSchedule(msg, directory, sealing)),
        TE.chain((request) => {
          const full = refusal();
          return full === undefined ? schedules.add(request) : TE.left(full);
        }),
      )();
      if (E.isLeft(added)) {
        entrance.refused?.(msg, added.left);
        replyFault(msg, added.left);
      } else msg.respond(encodeJson({ status: 'ok', data: added.right }));
    },
    refuse: replyFault,
  });

const idOf = (body: Readonly<Record<string, unknown>>): TE.TaskEither<Fault, string> =>
  typeof body.id === 'string'
    ? TE.right(body.id)
    : TE.left(fault('PAYLOAD_INVALID', 'the request needs id, a string', '/id'));

/** What an operator asks of schedules, by subject. */
export const scheduleOperations = (schedules: Schedules): readonly (readonly [string, Handler])[] => [
  [
    OPS.scheduleList,
    ({ from = 1 }) =>
      Number.isSafeInteger(from) && (from as number) >= 1
        ? schedules.list(from as number)
        : TE.left(fault('PAYLOAD_INVALID', 'the request needs from, a number from 1 on', '/from')),
  ],
  [
    OPS.scheduleShow,
    (body) =>
      pipe(
        idOf(body),
        TE.chain((id) => schedules.show(id)),
      ),
  ],
  [
    OPS.scheduleCancel,
    (body) =>
      pipe(
        idOf(body),
        TE.chain((id) => schedules.cancel(id)),
      ),
  ],
];
