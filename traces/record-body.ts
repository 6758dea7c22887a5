/** What a span needs of the payload of a result, a step or a wake. Nothing else of a payload leaves this file. */
export interface RecordBody {
  readonly status: string;
  /** The code of the error; undefined: there is none. */
  readonly code: string | undefined;
  /** The name of a step, or what a wait waits for. */
  readonly name: string | undefined;
  readonly attempts: number | undefined;
}

const UNREADABLE: RecordBody = {
  status: 'unreadable',
  code: 'unreadable',
  name: undefined,
  attempts: undefined,
};
const OK: RecordBody = { status: 'ok', code: undefined, name: undefined, attempts: undefined };
/** Results of the host begin like this. Large values are mostly in these, and they need not be parsed. */
const OK_BEGINS = Buffer.from('{"status":"ok",');
const WORD = /^[\w.-]{1,64}$/;
const MOST_NAME = 128;

const wordOf = (value: unknown): string | undefined =>
  typeof value === 'string' && WORD.test(value) ? value : undefined;

/** Reads the payload of a result. Anyone may have written it. */
export const resultBody = (data: Uint8Array): RecordBody =>
  OK_BEGINS.equals(data.subarray(0, OK_BEGINS.length)) ? OK : recordBody(data);

/** Reads the payload of a step or a wake. */
export const recordBody = (data: Uint8Array): RecordBody => {
  let body: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString());
    if (typeof parsed !== 'object' || parsed === null) return UNREADABLE;
    body = parsed as Record<string, unknown>;
  } catch {
    return UNREADABLE;
  }
  const { name, signal, error, attempts } = body;
  const status = wordOf(body.status);
  if (status === undefined) return UNREADABLE;
  const code = wordOf((error as { readonly code?: unknown } | null | undefined)?.code);
  const waitsFor = typeof signal === 'string' ? ` ${signal}` : '';
  return {
    status,
    code: status === 'ok' || status === 'waiting' ? undefined : (code ?? status.toUpperCase()),
    name: typeof name === 'string' ? `${name}${waitsFor}`.slice(0, MOST_NAME) : undefined,
    attempts: Number.isSafeInteger(attempts) ? (attempts as number) : undefined,
  };
};
