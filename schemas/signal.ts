import Type, { type Static } from 'typebox';
import { addressText } from './subjects.js';

/** A signal to an agent, as its record has it. See docs/decisions/0096. */
export const SignalSchema = Type.Object({
  by: Type.String({ description: 'The account that sent it, as the server authenticated it.' }),
  data: Type.Optional(Type.Unknown({ description: 'What it gives to the handler; absent: nothing.' })),
});
/** The body of a signal's record. */
export type Signal = Static<typeof SignalSchema>;

/** Where a signal goes: the agent of a module, and the name of the signal. */
export interface SignalAddress {
  readonly module: string;
  readonly name: string;
  readonly agent: string;
}

/** The subject that a client sends to: `signal.MODULE.NAME.AGENT`. In the log it has the record. */
export const signalSubject = (address: SignalAddress): string => `signal.${addressText(address)}`;

/** The reply to a signal that was taken. */
export interface StoredSignal {
  /** Sequence of its record. */
  readonly seq: number;
}

/** The most signals of one name that an agent keeps until a handler awaits them. */
export const MAX_KEPT_SIGNALS = 100;
/** The most bytes of the data of a signal. */
export const MAX_SIGNAL_BYTES = 65_536;
