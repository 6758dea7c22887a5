import { isLeft } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { headers as makeHeaders, type NatsConnection } from 'nats';
import type { Fault } from '../schemas/errors.js';
import { HEADER } from '../schemas/headers.js';
import { stateSubject } from '../schemas/subjects.js';
import type { JsonSchema } from '../schemas/validate.js';
import { sendRequest } from './request-broker.js';
import { COMMAND_WORDS } from './target-words.js';

/** The state of an agent, as a broker replies with it. */
export interface RemoteState {
  readonly seq: number;
  readonly time: string;
  readonly schema: number;
  readonly state: unknown;
  /** What to hide of it from a person: schemas with marks. Absent: nothing. */
  readonly sensitive?: readonly JsonSchema[];
}

/** Whose state, and from which record on. */
export interface StateQuery {
  readonly module: string;
  /** Absent or `''`: the module itself. */
  readonly agent?: string;
  /** The state must have all results up to this sequence. */
  readonly atLeast?: number;
}

/** The broker replies within this, also if the states do not have the wanted sequence yet. */
const REPLY_MS = 5_000;

/**
 * Asks a broker for a state: no command, no record. AGENT_UNKNOWN: nothing has happened to the agent. The broker waits
 * some seconds for `atLeast`; it is asked again until `timeoutMs` are over.
 */
export const requestState =
  (
    nc: NatsConnection,
    { module, agent = '', atLeast = 0 }: StateQuery,
    timeoutMs = REPLY_MS,
    words = COMMAND_WORDS,
  ): TaskEither<Fault, RemoteState> =>
  async () => {
    const headers = makeHeaders();
    if (atLeast > 0) headers.set(HEADER.atLeast, `${atLeast}`);
    const request = {
      subject: stateSubject(module, agent),
      payload: '',
      headers,
      timeoutMs: REPLY_MS,
      words,
    };
    const until = performance.now() + timeoutMs;
    for (;;) {
      const said = await sendRequest<RemoteState>(nc, request)();
      if (!isLeft(said) || said.left.code !== 'SNAPSHOTS_BEHIND' || performance.now() >= until) return said;
    }
  };
