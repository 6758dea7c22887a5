import { createHash } from 'node:crypto';
import { canonicalJson } from '../../schemas/canonical-json.js';

/** A call as a handler asks for it: which of its calls it is, MODULE.ACTION[.AGENT], and the payload. */
export interface AskedCall {
  readonly call: number;
  readonly address: string;
  readonly payload: Uint8Array;
}

const HEX_DIGITS = 32;

const sha256 = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** SHA-256 of `<call> <address>`, a line end, and the payload as canonical JSON; its bytes where it is no JSON. */
export const callDigest = ({ call, address, payload }: AskedCall): string =>
  sha256(`${call} ${address}\n`, canonicalJson(payload) ?? payload);

/**
 * What a result says of the calls that its handler made, as `Tally-Calls` has it: how many, and a digest over all of
 * them in order of their numbers. A reader with the commands of the calls can compute it again.
 */
export const statedCalls = (calls: readonly AskedCall[]): string => {
  if (calls.length === 0) return '0';
  return statedDigests(calls.map((call) => ({ call: call.call, digest: callDigest(call) })));
};

/** The same, of digests that are known. */
export const statedDigests = (
  calls: readonly { readonly call: number; readonly digest: string }[],
): string => {
  if (calls.length === 0) return '0';
  const inOrder = calls.toSorted((a, b) => a.call - b.call).map(({ digest }) => digest);
  return `${calls.length}.${sha256(inOrder.join('\n')).slice(0, HEX_DIGITS)}`;
};
