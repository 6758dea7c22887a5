import { type Fault, fault } from '../../schemas/errors.js';
import type { JsonSchema } from '../../schemas/validate.js';
import type { RawAgentState } from './module-agents.js';

/** A state, and whose it is. */
export interface NamedState {
  readonly module: string;
  /** `''` is the module itself. */
  readonly agent: string;
  readonly found: RawAgentState;
}

const encoder = new TextEncoder();
const CLOSE = 0x7d;

/** In front of the state: the JSON that `agent get --json` prints. Names, times and numbers need no escape. */
export const stateHead = ({ module, agent, found: { seq, time, schema } }: NamedState): string =>
  `{"module":"${module}","agent":"${agent}","seq":${seq},"time":"${time}","schema":${schema},"state":`;

/** Whether a reply may have so many bytes; `stateBytes` are in the message. */
export const stateFits = (stateBytes: number, length: number, maxBytes: number): Fault | undefined =>
  length <= maxBytes
    ? undefined
    : fault(
        'ANSWER_TOO_LARGE',
        `the state has ${stateBytes} bytes, a reply at most ${maxBytes}; ` +
          "read it on the broker's machine with `tallystick agent get`",
      );

/** The reply to a request for a state. The state is passed on in its bytes. */
export const stateReply = (named: NamedState): Uint8Array<ArrayBuffer> => {
  const head = encoder.encode(stateHead(named));
  const { state } = named.found;
  const body = new Uint8Array(head.length + state.length + 1);
  body.set(head);
  body.set(state, head.length);
  body[body.length - 1] = CLOSE;
  return body;
};

/** Above this, the reply hides the whole state from people. */
const MOST_MARKS_BYTES = 65_536;

/** What a reply says of marks: a program gets the whole state, and what shows it to a person learns what to hide. */
export const sensitiveText = (marks: readonly JsonSchema[]): string => {
  if (marks.length === 0) return '';
  const text = JSON.stringify(marks);
  return text.length <= MOST_MARKS_BYTES ? text : '[{"sensitive":true}]';
};

/** What ends a reply in the place of its last brace. */
export const stateEnd = (sensitive: string): string =>
  sensitive === '' ? '}' : `,"sensitive":${sensitive}}`;
