import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import Type, { type Static } from 'typebox';
import { type Fault, fault } from './errors.js';
import { type GuestLevel, isLoopback } from './guest.js';

/** An address where the broker takes connections with TLS, besides those on loopback: of NATS, or of HTTP. */
export const ListenSchema = Type.Object(
  {
    /** A name or an IP address, without brackets. */
    host: Type.String({ minLength: 1, maxLength: 253 }),
    /** 0: any free one. */
    port: Type.Integer({ minimum: 0, maximum: 65_535 }),
    /** PEM file with the certificate of the broker, and those that lead to its authority. */
    cert: Type.String({ minLength: 1 }),
    /** PEM file with its key. */
    key: Type.String({ minLength: 1 }),
    /** PEM file with authorities. With it, each client needs a certificate of one of them. */
    ca: Type.Optional(Type.String({ minLength: 1 })),
  },
  { additionalProperties: false },
);
export type Listen = Static<typeof ListenSchema>;

/** The options as users write them. */
export interface ListenInput {
  /** For clients of NATS: `HOST:PORT`, `[::]:PORT`. */
  readonly listen?: string | undefined;
  /** For HTTP, in the same form. */
  readonly httpListen?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsCa?: string | undefined;
}

/** What differs between the two addresses. */
const ADDRESSES = {
  listen: { example: '0.0.0.0:4443 or [::]:4443', port: '--nats-port' },
  httpListen: { example: '0.0.0.0:8443 or [::]:8443', port: '--http-port' },
} as const;

const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/;

/** An address for people and for URLs. */
export const hostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

const usage = (message: string, path: string): Either<Fault, never> => left(fault('USAGE', message, path));

const parseAddress = (
  name: keyof typeof ADDRESSES,
  { [name]: address, tlsCert, tlsKey, tlsCa }: ListenInput,
  guest: GuestLevel,
): Either<Fault, Listen | undefined> => {
  if (address === undefined) return right(undefined);
  const path = `/${name}`;
  const { example, port: option } = ADDRESSES[name];
  const [, inBrackets, plain, portText] = ADDRESS.exec(address) ?? [];
  const host = inBrackets ?? plain;
  const port = Number(portText);
  if (host === undefined || port > 65_535)
    return usage(`${JSON.stringify(address)} is not HOST:PORT, such as ${example}`, path);
  if (tlsCert === undefined || tlsKey === undefined) {
    const missing = tlsCert === undefined ? '--tls-cert' : '--tls-key';
    const needs = `${address} is beyond loopback and needs TLS: ${missing} is missing. Give --tls-cert FILE and --tls-key FILE`;
    return isLoopback(host)
      ? usage(`${missing} is missing; without TLS, ${option} sets the port on loopback`, path)
      : left(fault('LISTEN_UNSAFE', needs, path));
  }
  if (guest !== 'off' && !isLoopback(host)) {
    const message = `${address} is beyond loopback, and --guest ${guest} lets in clients without a token: leave it out`;
    return left(fault('LISTEN_UNSAFE', message, path));
  }
  return right({ host, port, cert: tlsCert, key: tlsKey, ...(tlsCa === undefined ? {} : { ca: tlsCa }) });
};

/** Where the broker takes connections with TLS; undefined: nowhere. */
export type ListenAddresses = Readonly<Record<keyof typeof ADDRESSES, Listen | undefined>>;

/**
 * Reads the options of TLS. USAGE names what is missing. LISTEN_UNSAFE: an address is beyond loopback, and there is no
 * TLS or a guest. Then anyone who reaches the port could read what others send, or call.
 */
export const parseListen = (input: ListenInput, guest: GuestLevel): Either<Fault, ListenAddresses> => {
  const { tlsCert, tlsKey, tlsCa } = input;
  const hasFiles = tlsCert !== undefined || tlsKey !== undefined || tlsCa !== undefined;
  if (hasFiles && !listensWithTls(input)) {
    const message = 'the files of TLS are for --listen and --http-listen; give one, such as 0.0.0.0:4443';
    return usage(message, '/listen');
  }
  const listen = parseAddress('listen', input, guest);
  if (isLeft(listen)) return listen;
  const httpListen = parseAddress('httpListen', input, guest);
  return isLeft(httpListen) ? httpListen : right({ listen: listen.right, httpListen: httpListen.right });
};

/** Whether an address for other machines is asked for. */
export const listensWithTls = ({ listen, httpListen }: ListenInput): boolean =>
  listen !== undefined || httpListen !== undefined;
