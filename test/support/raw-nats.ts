import { connect as dial, type Socket } from 'node:net';
import { waitFor } from './wait-for.js';

/** A header line as it goes over the wire, also one that a client library would refuse to write. */
export type Line = string;

/** Speaks the protocol itself: what a client library takes care not to send can be sent. */
export class RawNats implements AsyncDisposable {
  #received = '';
  #next = 0;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.#received += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
  }

  static async connect(url: string): Promise<RawNats> {
    const { hostname, port } = new URL(url);
    const socket = dial(Number(port), hostname);
    const raw = new RawNats(socket);
    const options = { verbose: false, pedantic: false, headers: true, no_responders: true, lang: 'raw' };
    socket.write(`CONNECT ${JSON.stringify(options)}\r\nSUB _INBOX.raw.* 1\r\nPING\r\n`);
    await waitFor('the server to answer', () => raw.#received.includes('PONG'));
    return raw;
  }

  /** Publishes with these header lines; `reply` may be any subject. */
  publish(subject: string | Uint8Array, lines: readonly Line[], body: string, reply = ''): void {
    const headers = Buffer.from(`NATS/1.0\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`, 'latin1');
    const data = Buffer.from(body);
    const sizes = ` ${reply === '' ? '' : `${reply} `}${headers.length} ${headers.length + data.length}\r\n`;
    const first = [Buffer.from('HPUB '), Buffer.from(subject as string), Buffer.from(sizes)];
    this.socket.write(Buffer.concat([...first, headers, data, Buffer.from('\r\n')]));
  }

  /** What comes back for a request: headers and body, or the server's refusal, as text. */
  async request(subject: string | Uint8Array, lines: readonly Line[], body: string): Promise<string> {
    this.#next += 1;
    const inbox = `_INBOX.raw.${this.#next}`;
    const from = this.#received.length;
    this.publish(subject, lines, body, inbox);
    return await waitFor(`an answer to ${String(subject)} with ${lines.join(' | ')}`, () => {
      const text = this.#received.slice(from);
      const refused = /-ERR [^\r]*/.exec(text);
      if (refused !== null) return refused[0];
      const at = text.indexOf(`MSG ${inbox} `);
      if (at < 0) return false;
      const line = /MSG \S+ \d+ (?:(\d+) )?(\d+)\r\n/.exec(text.slice(at));
      if (line === null) return false;
      const begin = at + line.index + line[0].length;
      const answer = text.slice(begin, begin + Number(line[2]));
      return answer.length === Number(line[2]) && answer;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
  }
}
