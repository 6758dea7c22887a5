import type { AnyEvent } from '../../modules/sdk/checked-outcome.js';
import type { Fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import type { Step } from '../../schemas/step.js';
import type { Wake } from '../../schemas/wake.js';
import type { Address } from '../../schemas/subjects.js';
import type { ConfigValues } from '../../schemas/module-config.js';
import type { Change } from '../state/changes.js';

/** What goes to the process that runs a module's code, and what comes back from it. */

/** A record as it travels between processes. */
export interface PlainRecord {
  readonly seq: number;
  readonly time: string;
  readonly timeMs: number;
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: Uint8Array;
}

/** Headers that deciding or folding look at. */
const CARRIED = [
  HEADER.cause,
  HEADER.conversation,
  HEADER.deadline,
  HEADER.priority,
  HEADER.schema,
  HEADER.chain,
];

export const plainRecord = (message: StoredMessage): PlainRecord => {
  const headers: Record<string, string> = {};
  for (const name of CARRIED) {
    const value = message.header(name);
    if (value !== undefined) headers[name] = value;
  }
  const { seq, time, timeMs, subject, data } = message;
  return { seq, time, timeMs, subject, headers, data };
};

export const storedMessage = ({ headers, ...record }: PlainRecord): StoredMessage => ({
  ...record,
  header: (name) => headers[name],
});

/** A call that a handler made when its command was handled, with the answer that it got, if it got one. */
export interface RecordedCall {
  readonly n: number;
  readonly target: Address;
  readonly data: unknown;
  readonly answer: Result | undefined;
  /** It is no call: a step, as its record has it. Its target is the action itself. */
  readonly step?: Step;
  /** How it ended, if it is a wait that has ended. */
  readonly wake?: Wake;
}

/** A command that is to be handled again. */
export interface Again {
  readonly command: PlainRecord;
  readonly calls: readonly RecordedCall[];
  /** It ended the process before: it is answered so, and not run. */
  readonly crashes?: true;
}

/** A record of the module's past, in order. */
export interface Item {
  /** A result, or an event that nothing caused. */
  readonly record: PlainRecord;
  /** `''` is the module itself. */
  readonly agent: string;
  /** The state of the agent before it, JSON, where the process has not seen it yet. */
  readonly state?: string;
  /** Of a result whose command is to be handled again. */
  readonly again?: Again;
  /** Whether the answer has what the record did to the state. */
  readonly told?: true;
}

/** What one record did to the state of an agent. */
export interface FoldedStep {
  readonly seq: number;
  readonly events: readonly AnyEvent[];
  /** The state before, JSON; absent where an earlier step of this agent has it as its state. */
  readonly before?: string;
  /** The state with it, JSON. */
  readonly state: string;
}

export interface Setup {
  readonly kind: 'setup';
  readonly dir: string;
  readonly entry: string;
  readonly manifest: object;
  readonly cascade: boolean;
  /** The values of the configuration, by key; undefined: nothing is handled, so they do not matter. */
  readonly config?: ConfigValues | undefined;
}

export type ToRunner = Setup | { readonly kind: 'items'; readonly items: readonly Item[] };

/** What a command led to, as far as the code decides it: events in the shapes of the newer code. */
export type Decided =
  | {
      readonly status: 'ok';
      readonly data: unknown;
      readonly events: readonly AnyEvent[];
      readonly commands: readonly { readonly subject: string; readonly data: unknown }[];
      /** Of the recorded calls, those that were not made again. */
      readonly callsNotMade?: readonly CallMade[];
    }
  | {
      readonly status: 'rejected' | 'failed' | 'expired';
      readonly error: {
        readonly code: string;
        readonly message: string;
        readonly path?: string;
        readonly retryable: boolean;
      };
      readonly callsNotMade?: readonly CallMade[];
    };

export interface CallMade extends Address {
  readonly data: unknown;
  /** The name of a step; its address is the action whose handler makes it. */
  readonly step?: string;
}

/** Why a handler could not be run to its end. */
export type Stopped =
  /** It made a call that it had not made before: another one, one more, or to someone else. */
  | { readonly why: 'call'; readonly n: number; readonly made: CallMade; readonly recorded: CallMade | null }
  /** It wanted something of the network, the disk or another process. */
  | { readonly why: 'outside'; readonly what: string };

/** What handling one command again came to. */
export type ItemVerdict =
  | { readonly kind: 'same' }
  /** What is recorded is not of the module's code: its deadline had passed, or the module was not there. */
  | { readonly kind: 'notDecided' }
  | { readonly kind: 'stopped'; readonly recorded: Decided; readonly stopped: Stopped }
  | {
      readonly kind: 'different' | 'newlyRejected' | 'newlyAccepted';
      readonly recorded: Decided;
      readonly now: Decided;
      readonly changes: readonly Change[];
    };

export type FromRunner =
  | { readonly kind: 'ready' }
  /** Now and then while it works: its event loop turns. */
  | { readonly kind: 'alive' }
  | {
      readonly kind: 'done';
      /** One for each item that was to be handled again, in their order. */
      readonly verdicts: readonly ItemVerdict[];
      /** What the items did that were to be told of: one for each that changed its agent. */
      readonly steps: readonly FoldedStep[];
      /** States that changed, JSON, by agent. */
      readonly states: readonly (readonly [string, string])[];
    }
  | { readonly kind: 'failed'; readonly fault: Fault };
