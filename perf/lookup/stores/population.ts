/** The agents of the lookups: every store holds the same agents with the same states. */

export const MODULE = 'accounts';
export const SCHEMA = 1;

export interface ChangeTime {
  readonly timeMs: number;
  /** The same as RFC 3339. */
  readonly time: string;
}

/** A change of one agent, as who writes states is told of it. */
export interface StateChange extends ChangeTime {
  readonly agent: string;
  readonly seq: number;
  /** JSON. */
  readonly state: string;
}

/** What a lookup gives. */
export interface FoundState {
  readonly seq: number;
  readonly time: string;
  readonly schema: number;
  readonly state: { readonly balance: number };
}

export const moment = (date: Date): ChangeTime => ({ timeMs: date.getTime(), time: date.toISOString() });

export const agentNamed = (number: number): string => `a${number}`;

/**
 * As the module accounts has it. The balance is the sequence, so that a lookup shows whether both are of one moment.
 */
export const changeOf = (agent: string, seq: number, { timeMs, time }: ChangeTime): StateChange => ({
  agent,
  seq,
  timeMs,
  time,
  state: `{"balance":${seq},"outgoing":{}}`,
});

/** How those who hold bytes hold it. */
export const encodeFound = ({ seq, time, state }: StateChange): string =>
  `{"seq":${seq},"time":"${time}","schema":${SCHEMA},"state":${state}}`;

/** Whether it is a state that was written, whole. */
export const isWhole = (found: FoundState | undefined): boolean =>
  found !== undefined && found.seq > 0 && found.state.balance === found.seq;

/** Agents by chance, each as likely as every other; the same for the same seed. Marsaglia's xorshift with 32 bits. */
export const agentsByChance = (agents: number, seed: number): (() => string) => {
  let state = Math.imul(seed, 0x9e3779b1) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return agentNamed((state >>> 0) % agents);
  };
};
