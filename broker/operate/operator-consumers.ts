import type { ConsumerConfig } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import { headers, type Msg, type NatsConnection } from 'nats';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson, parseJson } from '../../schemas/json.js';
import { LOG } from '../../schemas/log.js';
import { type Listening, serve } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';
import { CREATE_CONSUMER, DELIVERED, PULL_CONSUMER } from '../../schemas/operate.js';
import { JETSTREAM_ERROR } from '../../link/jetstream-error.js';

/**
 * What the operator may say of a consumer: all that a consumer has which is asked for its messages (pull). Others are
 * sent to a subject (push), and the server sends there inside the account that has the log: with `live.res.…` or
 * `ctl.…` as that subject, a command of anybody's choice would reach the broker as a stored result, or as the word of
 * a module.
 */
const ALLOWED: ReadonlySet<string> = new Set<keyof ConsumerConfig>([
  'name',
  'durable_name',
  'description',
  'deliver_policy',
  'opt_start_seq',
  'opt_start_time',
  'ack_policy',
  'ack_wait',
  'max_deliver',
  'backoff',
  'filter_subject',
  'filter_subjects',
  'replay_policy',
  'sample_freq',
  'max_waiting',
  'max_ack_pending',
  'headers_only',
  'max_batch',
  'max_expires',
  'max_bytes',
  'inactive_threshold',
  'num_replicas',
  'mem_storage',
  'metadata',
  'pause_until',
  'priority_groups',
  'priority_policy',
  'priority_timeout',
]);

const TIMEOUT_MS = 10_000;
/** What is refused may be quoted, and is a stranger's word. */
const MAX_TEXT = 1_024;

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a setting is empty: clients send the zero of settings that were not given. */
const isUnset = (value: unknown): boolean => value === '' || value === 0 || value === false || value === null;

/**
 * The request as it may be made, or why it may not. It is composed again, since the server reads keys in any case of
 * letters.
 */
const allowed = (data: Uint8Array): E.Either<string, Uint8Array> => {
  const request = parseJson(data);
  if (E.isLeft(request)) return E.left(request.left.message);
  const { stream_name, config } = isFields(request.right) ? request.right : {};
  if (typeof stream_name !== 'string' || !isFields(config)) return E.left('stream_name or config is missing');
  const set = Object.entries(config).filter(([, value]) => !isUnset(value));
  const refused = set.find(([setting]) => !ALLOWED.has(setting));
  if (refused !== undefined) {
    return E.left(`an operator's consumer is asked for its messages (pull) and may not have ${refused[0]}`);
  }
  // `create` and nothing else: an update would change what a module is sent.
  return E.right(encodeJson({ stream_name, config: Object.fromEntries(set), action: 'create' }));
};

const refuse = (msg: Msg, code: number, description: string, type?: string): void => {
  const error = {
    code,
    err_code: code === 400 ? JETSTREAM_ERROR.consumerInvalidPolicy : JETSTREAM_ERROR.clusterNotAvailable,
    description: description.slice(0, MAX_TEXT),
  };
  msg.respond(encodeJson({ type, error }));
};

const CREATED = 'io.nats.jetstream.api.v1.consumer_create_response';

const create = async (nc: NatsConnection, msg: Msg): Promise<void> => {
  const request = allowed(msg.data);
  if (E.isLeft(request)) return refuse(msg, 400, request.left, CREATED);
  try {
    const subject = `$JS.API.CONSUMER.CREATE${msg.subject.slice(CREATE_CONSUMER.length)}`;
    const reply = await nc.request(subject, request.right, { timeout: TIMEOUT_MS });
    const answer = headers();
    answer.set(HEADER.pullBy, PULL_CONSUMER);
    msg.respond(reply.data, { headers: answer });
  } catch (error) {
    refuse(msg, 503, (error as Error).message, CREATED);
  }
};

/**
 * Consumer, reader and number: nothing in them makes another subject of what is passed on, or of what it is answered
 * to.
 */
const PULL = /^([\w~-]{1,256})\.([A-Za-z0-9]{1,64}\.\d{1,16})$/;

/**
 * Has the server answer a pull where the operator's account sees it as a stream. What it asks for, and whose consumer
 * the operator may not pull from, is the server's to check.
 */
const pull = (nc: NatsConnection, msg: Msg): void => {
  const [, consumer, place] = PULL.exec(msg.subject.slice(`${PULL_CONSUMER}.${LOG}.`.length)) ?? [];
  if (consumer === undefined) {
    return refuse(msg, 400, `a pull is ${PULL_CONSUMER}.${LOG}.<consumer>.<letters and digits>.<number>`);
  }
  nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${LOG}.${consumer}`, msg.data, { reply: `${DELIVERED}.${place}` });
};

/**
 * Makes consumers for the operator, who may read the log in any way and change nothing, and passes on what pulls from
 * them.
 */
export const serveConsumers = (nc: NatsConnection): readonly Listening[] => [
  serve({
    nc,
    subject: SERVED.consumers,
    handle: (msg) => create(nc, msg),
    refuse: (msg, { message }) => refuse(msg, 500, message, CREATED),
  }),
  serve({
    nc,
    subject: SERVED.pulls,
    handle: (msg) => pull(nc, msg),
    refuse: (msg, { message }) => refuse(msg, 500, message),
  }),
];
