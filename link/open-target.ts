import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Either, isLeft, left, right, tryCatch } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import {
  type Authenticator,
  credsAuthenticator,
  type NatsConnection,
  usernamePasswordAuthenticator,
} from 'nats';
import { DEFAULT_DATA_DIR } from '../schemas/config.js';
import { type Fault, fault } from '../schemas/errors.js';
import { ADDRESS_FILE } from '../schemas/operate.js';
import { MAX_KEY_BYTES, readBounded } from '../system/files/bounded-file.js';
import { isClientError } from './client-error.js';
import { markGuest } from './refused-by-server.js';
import { dial } from './dial.js';
import { authenticatorOf } from './nkey.js';
import type { Credential, Target } from './target.js';
import { COMMAND_WORDS, type TargetWords } from './target-words.js';
import { tlsFailure, tlsOptions } from './tls-options.js';
import { seedIn } from './token-file.js';

/** In a `.creds` file, which has a seed too. */
const USER_JWT = 'BEGIN NATS USER JWT';
const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_MS = 1_000;

const bySeed = (seed: string, path: string): Either<Fault, Authenticator> =>
  tryCatch(
    () => authenticatorOf(seed),
    (error) => fault('USAGE', `the credential ${path} cannot be used: ${(error as Error).message}`),
  );

const authenticator = (credential: Credential): Either<Fault, Authenticator | undefined> => {
  switch (credential.kind) {
    case 'guest':
      return right(undefined);
    case 'user':
      return right(usernamePasswordAuthenticator(credential.user, credential.password));
    case 'file': {
      const read = readBounded(credential.path, MAX_KEY_BYTES);
      if (isLeft(read)) {
        return left(fault('USAGE', `the credential ${credential.path} cannot be read: ${read.left}`));
      }
      const content = read.right;
      const text = content.toString('utf8');
      const seed = text.includes(USER_JWT) ? undefined : seedIn(text);
      return seed === undefined ? right(credsAuthenticator(content)) : bySeed(seed, credential.path);
    }
  }
};

const advice = ({ source }: Target, words: TargetWords): string => {
  const here = join(DEFAULT_DATA_DIR, ADDRESS_FILE);
  if (source === 'NATS_URL' && existsSync(here)) {
    return `; NATS_URL names that address, and ./${DEFAULT_DATA_DIR} has a broker: unset NATS_URL or use ${words.data}`;
  }
  return `; start one with ${words.start}, or name one with ${words.ways}`;
};

const connectFault = (target: Target, words: TargetWords, thrown: unknown): Fault => {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const insecure = tlsFailure(thrown);
  if (insecure !== undefined) {
    return fault(
      'TLS_FAILED',
      `${target.url} (${target.source}): there is no connection with TLS: ${insecure}`,
    );
  }
  if (isClientError(thrown, 'AuthorizationError', 'UserAuthenticationExpiredError')) {
    const where = `${target.url} (${target.source})`;
    return target.credential.kind === 'guest'
      ? fault('SERVER_REFUSED', `${where} lets in no client without a token: ${message}. ${words.token}`)
      : fault('SERVER_REFUSED', `${where} refuses the credential: ${message}`);
  }
  const where = `${target.url} (${target.source})`;
  return fault('BROKER_UNREACHABLE', `nothing answers at ${where}: ${message}${advice(target, words)}`);
};

/** Connects to the broker of a target. BROKER_UNREACHABLE, SERVER_REFUSED, or USAGE for a credential. */
export const openTargetConnection =
  (target: Target, words = COMMAND_WORDS): TaskEither<Fault, NatsConnection> =>
  async () => {
    const auth = authenticator(target.credential);
    if (isLeft(auth)) return auth;
    const tls = tlsOptions(target);
    if (isLeft(tls)) return tls;
    try {
      const nc = await dial({
        servers: target.url,
        timeout: CONNECT_TIMEOUT_MS,
        name: 'tallystick',
        // For what is followed; every request has its own timeout.
        redialMs: RECONNECT_MS,
        ...(tls.right === undefined ? {} : { tls: tls.right }),
        ...(auth.right === undefined ? {} : { authenticator: auth.right }),
      });
      if (target.credential.kind === 'guest') markGuest(nc);
      return right(nc);
    } catch (thrown) {
      return left(connectFault(target, words, thrown));
    }
  };
