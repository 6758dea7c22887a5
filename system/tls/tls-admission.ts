import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { isLeft } from 'fp-ts/lib/Either.js';
import { Seldom } from '../lines/seldom.js';
import { certificateFault } from './client-certificate.js';
import { Handshakes } from './handshakes.js';
import { readTlsFiles, type ServedTlsPaths, tlsFilesMark } from './tls-files.js';

/** Connections at a time, with those whose handshake is not over. */
export const MOST_CONNECTIONS = 1_024;
/** From the begin of a connection to the end of its handshake. */
const HANDSHAKE_MS = 8_000;

export interface TlsAdmissionOptions {
  readonly paths: ServedTlsPaths;
  /** Handshakes of one address at a time: one that begins many and ends none leaves the others room. */
  readonly mostHandshakes: number;
  readonly say: (text: string) => void;
}

/** A connection that may begin TLS. */
export interface AdmittedClient {
  /** The handshake; rejects with the reason. */
  readonly secure: () => Promise<TLSSocket>;
  /** Why its certificate does not do; undefined if it does, or if no client needs one. */
  readonly certificateFault: (tls: TLSSocket) => string | undefined;
  /** Why it was refused after all. The first reason counts. */
  readonly refused: (why: string) => void;
  /** The handshake is over: well or badly. */
  readonly settled: () => void;
}

/**
 * Admits connections to TLS with the certificate of now. A renewed certificate counts for the next connection, and one
 * that cannot be used changes nothing.
 */
export class TlsAdmission {
  /** Handshakes that are not over, by address. */
  readonly #begun = new Map<string, number>();
  readonly #seldom: Seldom;
  #mark = '';
  #handshakes: Handshakes | undefined;

  constructor(private readonly options: TlsAdmissionOptions) {
    this.#seldom = new Seldom(options.say);
    this.#current();
  }

  /** Undefined: the connection is refused and closed. */
  admit(client: Socket): AdmittedClient | undefined {
    const from = client.remoteAddress ?? '?';
    const refused = (why: string): void => this.#seldom.say(`a connection from ${from} was refused: ${why}`);
    const count = this.#begun.get(from) ?? 0;
    const handshakes = this.#current();
    if (handshakes === undefined || count >= this.options.mostHandshakes) {
      refused(
        handshakes === undefined
          ? 'there is no certificate'
          : `${count} handshakes of that address are not over`,
      );
      client.destroy();
      return undefined;
    }
    this.#begun.set(from, count + 1);
    let isOver = false;
    const refuse = (why: string): void => {
      if (!isOver) refused(why);
      isOver = true;
    };
    const late = setTimeout(() => {
      refuse('no handshake in time');
      client.destroy();
    }, HANDSHAKE_MS);
    return {
      secure: () => handshakes.secure(client),
      certificateFault: this.options.paths.ca === undefined ? () => undefined : certificateFault,
      refused: refuse,
      settled: () => {
        clearTimeout(late);
        this.#settle(from);
      },
    };
  }

  /** A connection came when all places were taken. */
  dropped(): void {
    this.#seldom.say(`a connection was refused: ${MOST_CONNECTIONS} are open`);
  }

  #settle(from: string): void {
    const left = (this.#begun.get(from) ?? 1) - 1;
    if (left === 0) this.#begun.delete(from);
    else this.#begun.set(from, left);
  }

  #current(): Handshakes | undefined {
    const { paths, say } = this.options;
    const now = tlsFilesMark(paths);
    if (now === this.#mark) return this.#handshakes;
    this.#mark = now;
    const before = this.#handshakes;
    const files = readTlsFiles(paths);
    if (isLeft(files)) {
      const { code, message } = files.left;
      say(`${code}: ${message}${before === undefined ? '' : '; the certificate before stays in use'}`);
      return before;
    }
    try {
      this.#handshakes ??= new Handshakes(files.right);
      before?.renew(files.right);
      if (before !== undefined) say(`the certificate in ${paths.cert} is in use`);
    } catch (error) {
      say(`the files of TLS cannot be used: ${(error as Error).message}`);
    }
    return this.#handshakes;
  }
}
