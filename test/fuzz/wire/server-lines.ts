/** What a server sends to a client, as far as whoever sends odd bytes wants to know it. */
export type ServerLine =
  | { readonly type: 'info'; readonly nonce: string | undefined }
  | { readonly type: 'message'; readonly subject: string; readonly headers: string; readonly body: Buffer }
  | { readonly type: 'error'; readonly text: string }
  | { readonly type: 'ping' | 'pong' | 'ok' };

const LINE_END = Buffer.from('\r\n');

/** Cuts the bytes of a connection into what the server said. Throws on what no server says. */
export class ServerLines {
  #rest: Buffer = Buffer.alloc(0);

  add(chunk: Buffer): readonly ServerLine[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const lines: ServerLine[] = [];
    for (let at = 0; ; ) {
      const end = this.#rest.indexOf(LINE_END, at);
      const found = end < 0 ? undefined : this.#line(at, end);
      if (found === undefined) {
        this.#rest = this.#rest.subarray(at);
        return lines;
      }
      lines.push(found.line);
      at = found.next;
    }
  }

  /** undefined: the message is not here whole. */
  #line(at: number, end: number): { readonly line: ServerLine; readonly next: number } | undefined {
    const text = this.#rest.toString('latin1', at, end);
    const next = end + LINE_END.length;
    const [verb = '', ...args] = text.split(' ');
    switch (verb) {
      case 'INFO': {
        const { nonce } = JSON.parse(text.slice(5)) as { nonce?: string };
        return { line: { type: 'info', nonce }, next };
      }
      case 'MSG':
      case 'HMSG': {
        const total = Number(args.at(-1));
        const head = verb === 'HMSG' ? Number(args.at(-2)) : 0;
        if (this.#rest.length < next + total + LINE_END.length) return undefined;
        const headers = this.#rest.toString('latin1', next, next + head);
        // A copy: what is kept of an answer must not keep the whole chunk.
        const body = Buffer.from(this.#rest.subarray(next + head, next + total));
        const line: ServerLine = { type: 'message', subject: args[0] ?? '', headers, body };
        return { line, next: next + total + LINE_END.length };
      }
      case '-ERR':
        return { line: { type: 'error', text: text.slice(5) }, next };
      case 'PING':
        return { line: { type: 'ping' }, next };
      case 'PONG':
        return { line: { type: 'pong' }, next };
      case '+OK':
        return { line: { type: 'ok' }, next };
      default:
        throw new Error(`the server says ${JSON.stringify(text.slice(0, 200))}`);
    }
  }
}
