import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Either, isLeft, left, map, right } from 'fp-ts/lib/Either.js';
import { MAX_KEY_BYTES, readBounded } from '../system/files/bounded-file.js';
import { DEFAULT_DATA_DIR, DEFAULT_NATS_PORT } from '../schemas/config.js';
import { type Fault, fault } from '../schemas/errors.js';
import { ADDRESS_FILE, type BrokerAddress } from '../schemas/operate.js';
import { COMMAND_WORDS, type TargetWords } from './target-words.js';
import { readToken } from './token-file.js';

export interface TargetOptions {
  readonly data?: string;
  readonly server?: string;
  readonly creds?: string;
  /** A file of `tallystick token create`: it names the server too. */
  readonly token?: string;
  /** Files of TLS, PEM: the authority of the broker; a certificate for the client, and its key. */
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** The files of TLS that a connection uses; without one, the authorities of the system count. */
export interface TlsPaths {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export type Credential =
  | { readonly kind: 'guest' }
  /** A `.creds` file, or a file with an nkey seed. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'user'; readonly user: string; readonly password: string };

export interface Target {
  readonly url: string;
  readonly credential: Credential;
  /** The source of the address, for messages. */
  readonly source: string;
  readonly tls?: TlsPaths;
  /** The data directory of the broker, if the address is from there. */
  readonly dataDir?: string;
}

const text = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

// The order of the stock `nats` command line: if several variables are set, the user comes first.
const fromEnvironment = (env: NodeJS.ProcessEnv): Credential => {
  const user = text(env.NATS_USER);
  if (user !== undefined) return { kind: 'user', user, password: env.NATS_PASSWORD ?? '' };
  const path = text(env.NATS_CREDS) ?? text(env.NATS_NKEY);
  return path === undefined ? { kind: 'guest' } : { kind: 'file', path };
};

/** Reads `broker.json` of a data directory. Left: the reason why it cannot be used. */
const addressIn = (dataDir: string): Either<string, BrokerAddress> => {
  const read = readBounded(join(dataDir, ADDRESS_FILE), MAX_KEY_BYTES);
  if (isLeft(read)) return read;
  try {
    const value: unknown = JSON.parse(read.right.toString('utf8'));
    const { nats, operatorSeed } = value as Partial<BrokerAddress>;
    return typeof nats === 'string' && typeof operatorSeed === 'string'
      ? right(value as BrokerAddress)
      : left('no broker has written it');
  } catch (error) {
    return left((error as Error).message);
  }
};

/** The same; undefined if the file is missing or cannot be used. */
export const readAddress = (dataDir: string): BrokerAddress | undefined => {
  const address = addressIn(dataDir);
  return isLeft(address) ? undefined : address.right;
};

const isThere = (path: string): boolean => {
  try {
    statSync(path);
    return true;
  } catch (error) {
    // A file that this user may not read exists.
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
};

const fromDataDir = (dir: string, creds: string | undefined, words: TargetWords): Either<Fault, Target> => {
  const dataDir = resolve(dir);
  const found = addressIn(dataDir);
  if (isLeft(found)) {
    if (isThere(join(dataDir, ADDRESS_FILE))) {
      const advice = `run this as the user whose broker it is, or name a server with ${words.server}`;
      return left(
        fault('DATA_DIR_UNUSABLE', `${join(dataDir, ADDRESS_FILE)} cannot be read: ${found.left}; ${advice}`),
      );
    }
    const message = `no broker runs in ${dataDir}; start one with ${words.start}, or name one with ${words.ways}`;
    return left(fault('BROKER_UNREACHABLE', message));
  }
  const address = found.right;
  const path = creds ?? resolve(dataDir, address.operatorSeed);
  return right({ url: address.nats, credential: { kind: 'file', path }, source: dataDir, dataDir });
};

const hostPort = (url: string): string | undefined => {
  try {
    const { hostname, port } = new URL(url.includes('://') ? url : `nats://${url}`);
    const host = hostname === 'localhost' || hostname === '[::1]' ? '127.0.0.1' : hostname;
    return `${host}:${port === '' ? DEFAULT_NATS_PORT : port}`;
  } catch {
    return undefined;
  }
};

const isSameServer = (a: string, b: string): boolean =>
  hostPort(a) !== undefined && hostPort(a) === hostPort(b);

/** The server that a token names, unless an option names another one. */
const fromToken = (path: string, server: string | undefined, source: string): Either<Fault, Target> => {
  const credential: Credential = { kind: 'file', path };
  if (server !== undefined) return right({ url: server, credential, source: '--server' });
  const token = readToken(path);
  return isLeft(token) ? token : right({ url: token.right.url, credential, source });
};

/** The files that options name, else the variables of the stock `nats` command line. */
const tlsPaths = (
  { tlsCa, tlsCert, tlsKey }: TargetOptions,
  env: NodeJS.ProcessEnv,
): TlsPaths | undefined => {
  const ca = tlsCa ?? text(env.NATS_CA);
  const cert = tlsCert ?? text(env.NATS_CERT);
  const key = tlsKey ?? text(env.NATS_KEY);
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
};

/**
 * The broker that the options and variables name: `--token`, else `--server`, else `--data`, else TALLYSTICK_TOKEN,
 * else NATS_URL, else `./.tallystick`. An option beats a variable of the shell, and a variable beats the working
 * directory. So after `eval "$(tallystick env)"` all commands and `nats` use that broker in every directory. Without
 * it, the directory decides. Credentials of the environment serve NATS_URL and `--server`, never a data directory. A
 * token is a credential and names a server; `--creds` replaces the one of TALLYSTICK_TOKEN. If NATS_URL has no
 * credential and names the broker of the working directory, the command connects as its operator. USAGE if both
 * options are given; BROKER_UNREACHABLE if there is no broker to connect to.
 */
export const findTarget = (
  options: TargetOptions,
  env: NodeJS.ProcessEnv = process.env,
  words = COMMAND_WORDS,
): Either<Fault, Target> =>
  map((target: Target) => {
    // The broker of a data directory is on this machine, and reached without TLS.
    const tls = target.dataDir === undefined ? tlsPaths(options, env) : undefined;
    return tls === undefined ? target : { ...target, tls };
  })(findAddress(options, env, words));

const findAddress = (
  options: TargetOptions,
  env: NodeJS.ProcessEnv,
  words: TargetWords,
): Either<Fault, Target> => {
  const { data, server, creds, token } = options;
  if (token !== undefined && (creds !== undefined || data !== undefined)) {
    return left(
      fault(
        'USAGE',
        `a token is a credential and names a server; leave out ${words.creds} and ${words.data}`,
      ),
    );
  }
  if (token !== undefined) return fromToken(token, server, '--token');
  if (data !== undefined && server !== undefined) {
    return left(fault('USAGE', `${words.data} and ${words.server} both name a broker; give one of them`));
  }
  const credential: Credential = creds === undefined ? fromEnvironment(env) : { kind: 'file', path: creds };
  if (server !== undefined) return right({ url: server, credential, source: words.server });
  if (data !== undefined) return fromDataDir(data, creds, words);
  const ours = creds === undefined ? text(env.TALLYSTICK_TOKEN) : undefined;
  if (ours !== undefined) return fromToken(ours, undefined, 'TALLYSTICK_TOKEN');
  const url = text(env.NATS_URL);
  if (url !== undefined) {
    const here = credential.kind === 'guest' ? readAddress(resolve(DEFAULT_DATA_DIR)) : undefined;
    const isHere = here !== undefined && isSameServer(url, here.nats);
    return isHere
      ? fromDataDir(DEFAULT_DATA_DIR, creds, words)
      : right({ url, credential, source: 'NATS_URL' });
  }
  return fromDataDir(DEFAULT_DATA_DIR, creds, words);
};
