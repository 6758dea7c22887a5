import { type Either, left, right } from 'fp-ts/lib/Either.js';
import Type, { type Static } from 'typebox';
import { type Fault, fault } from './errors.js';
import { type GuestLevel, isLoopback } from './guest.js';

/** An address where the broker takes connections with TLS, besides the server's own on loopback. */
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
  /** `HOST:PORT`, `[::]:PORT`. */
  readonly listen?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsCa?: string | undefined;
}

const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/;

/** An address for people and for URLs. */
export const hostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

const usage = (message: string, path: string): Either<Fault, never> => left(fault('USAGE', message, path));

/**
 * Reads the options of TLS. USAGE names what is missing. LISTEN_UNSAFE: the address is beyond loopback, and there is no
 * TLS or a guest. Then anyone who reaches the port could read what others send, or call.
 */
export const parseListen = (
  { listen, tlsCert, tlsKey, tlsCa }: ListenInput,
  guest: GuestLevel,
): Either<Fault, Listen | undefined> => {
  if (listen === undefined) {
    return tlsCert === undefined && tlsKey === undefined && tlsCa === undefined
      ? right(undefined)
      : usage('the files of TLS are for the address of --listen; give it, such as 0.0.0.0:4443', '/listen');
  }
  const [, inBrackets, plain, portText] = ADDRESS.exec(listen) ?? [];
  const host = inBrackets ?? plain;
  const port = Number(portText);
  if (host === undefined || port > 65_535) {
    return usage(`${JSON.stringify(listen)} is not HOST:PORT, such as 0.0.0.0:4443 or [::]:4443`, '/listen');
  }
  if (tlsCert === undefined || tlsKey === undefined) {
    const missing = tlsCert === undefined ? '--tls-cert' : '--tls-key';
    return isLoopback(host)
      ? usage(`${missing} is missing; without TLS, --nats-port sets the port on loopback`, '/listen')
      : left(
          fault(
            'LISTEN_UNSAFE',
            `${listen} is beyond loopback and needs TLS: ${missing} is missing. Give --tls-cert FILE and --tls-key FILE`,
            '/listen',
          ),
        );
  }
  if (guest !== 'off' && !isLoopback(host)) {
    const message = `${listen} is beyond loopback, and --guest ${guest} lets in clients without a token: leave it out`;
    return left(fault('LISTEN_UNSAFE', message, '/listen'));
  }
  return right({ host, port, cert: tlsCert, key: tlsKey, ...(tlsCa === undefined ? {} : { ca: tlsCa }) });
};
