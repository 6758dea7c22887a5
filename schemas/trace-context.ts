import { HEADER } from './headers.js';

/** What the headers `traceparent` and `tracestate` of a record say: https://www.w3.org/TR/trace-context/. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** The span of the sender: 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether the sender keeps its spans. */
  readonly sampled: boolean;
  /** As the sender wrote it; `''`: it wrote none, or one that cannot be passed on. */
  readonly state: string;
}

const FORM = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
/** The specification asks that at least so many characters are passed on. */
const MOST_STATE = 512;
const PRINTABLE = /^[\x20-\x7e]*$/;
const SAMPLED = 1;

const stateOf = (text: string | undefined): string =>
  text !== undefined && text.length <= MOST_STATE && PRINTABLE.test(text) ? text : '';

/**
 * The trace that the sender of a record named. Undefined without the header, and for a header that breaks the
 * specification: that says to begin another trace then, so such a header is no fault.
 */
export const parseTraceParent = (header: (name: string) => string | undefined): TraceParent | undefined => {
  const match = FORM.exec(header(HEADER.trace) ?? '');
  if (match === null) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', more] = match;
  // A later version may have more fields behind the four, and this version may not.
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const sampled = (Number.parseInt(flags, 16) & SAMPLED) !== 0;
  return { traceId, spanId, sampled, state: stateOf(header(HEADER.traceState)) };
};
