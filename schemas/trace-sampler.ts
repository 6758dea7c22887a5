/** Which traces are exported. */
export interface Sampler {
  /** Whether a trace that a sender named is exported if the sender says so in its `traceparent`. */
  readonly followsSender: boolean;
  /** The share of all other traces, 0 to 1. */
  readonly share: number;
}

const ALL: Sampler = { followsSender: true, share: 1 };
const PARENT = 'parentbased_';
const SHARES: Readonly<Record<string, number>> = { always_on: 1, always_off: 0 };
const DECIMAL = /^\d+(?:\.\d+)?$/;

/** A number that people write; undefined: it is none. */
export const parseDecimal = (text: string): number | undefined =>
  DECIMAL.test(text) ? Number(text) : undefined;

/** What `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` say. A value that cannot be used counts as none. */
export const samplerOf = (
  name: string | undefined,
  argument: string | undefined,
): { readonly sampler: Sampler; readonly problem?: string } => {
  if (name === undefined) return { sampler: ALL };
  const followsSender = name.startsWith(PARENT);
  const kind = followsSender ? name.slice(PARENT.length) : name;
  const fixed = Object.hasOwn(SHARES, kind) ? SHARES[kind] : undefined;
  if (fixed !== undefined) return { sampler: { followsSender, share: fixed } };
  if (kind !== 'traceidratio')
    return {
      sampler: ALL,
      problem: 'OTEL_TRACES_SAMPLER is no known sampler; all traces are exported',
    };
  const share = parseDecimal(argument ?? '1');
  if (share === undefined || share > 1)
    return {
      sampler: { followsSender, share: 1 },
      problem: 'OTEL_TRACES_SAMPLER_ARG is no number from 0 to 1; 1 counts',
    };
  return { sampler: { followsSender, share } };
};

/** The digits of a trace id that are random, as many as a number holds exactly. */
const DIGITS = 13;
const LIMIT = 16 ** DIGITS;

/** Whether a trace is exported. Each process that asks comes to the same decision: it is made from the id. */
export const isSampled = (
  { followsSender, share }: Sampler,
  traceId: string,
  sender: boolean | undefined,
): boolean =>
  followsSender && sender !== undefined
    ? sender
    : Number.parseInt(traceId.slice(-DIGITS), 16) < share * LIMIT;
