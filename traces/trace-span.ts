import { createHash } from 'node:crypto';

/** A value of an attribute. Numbers are whole. */
export type SpanValue = string | number | boolean;

/** A span as it is exported. It has no payload. */
export interface TraceSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly state: string;
  /** Whether it is exported. */
  readonly sampled: boolean;
  readonly name: string;
  readonly kind: 'internal' | 'consumer';
  /** Nanoseconds since 1970. */
  readonly startNanos: bigint;
  readonly endNanos: bigint;
  readonly attributes: Readonly<Record<string, SpanValue>>;
  /** The code of the error; undefined: there is none. */
  readonly error: string | undefined;
  /** The module that did the work. */
  readonly module: string;
  /** The sequence of the record that ended it. */
  readonly endedBy: number;
}

const digits = (text: string, count: number): string => {
  const hex = createHash('sha256').update(text).digest('hex').slice(0, count);
  // An id of zeros is none.
  return /^0+$/.test(hex) ? hex.replace(/0$/, '1') : hex;
};

/**
 * The ids come from the log alone. So the records need no header, and a span that is exported again after a crash is
 * the same span.
 */
export const traceIdOf = (logId: string, conversation: number): string =>
  digits(`trace ${logId} ${conversation}`, 32);
export const spanIdOf = (logId: string, seq: number): string => digits(`span ${logId} ${seq}`, 16);
