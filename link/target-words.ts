/** How a message names what its reader can set: a command has options, and the author of a program has others. */
export interface TargetWords {
  /** The option with the data directory of a broker. */
  readonly data: string;
  /** The option with the address of a server. */
  readonly server: string;
  /** The option with a credential. */
  readonly creds: string;
  /** The command that starts a broker. */
  readonly start: string;
  /** How to name a token, as a sentence. */
  readonly token: string;
  /** All ways to name a broker. */
  readonly ways: string;
}

/** For a person at a terminal. */
export const COMMAND_WORDS: TargetWords = {
  data: '--data',
  server: '--server',
  creds: '--creds',
  start: '`tallystick start`',
  token: 'Name yours with --token, or that of the operator with --data; `tallystick token create` makes one',
  ways: '--data or --server',
};

/** For the author of a program that calls `connect()`. */
export const PROGRAM_WORDS: TargetWords = {
  data: '`data`',
  server: '`server`',
  creds: '`creds`',
  start: '`npx tallystick start`',
  token: 'Name yours with `token` of connect(); an operator makes one with `tallystick token create`',
  ways: '`data` or `server` of connect(), or with NATS_URL',
};
