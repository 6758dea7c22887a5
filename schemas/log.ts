import Type, { type Static } from 'typebox';

/** The one stream: every command, result, event and epoch. */
export const LOG = 'LOG';

/** Largest record, headers included; bytes. */
export const MAX_RECORD_BYTES = 1_048_576;

/** Headers of a record, at most; bytes. The server keeps their length in 16 bits, and answers 10097 to more. */
export const MAX_HEADER_BYTES = 65_535;

/** Largest payload that a sender may give, bytes: what the broker adds of its own must still fit in a record. */
export const MAX_PAYLOAD_BYTES = 983_040;

/**
 * Names of the log's consumers. A module's own is named after it, so that `nats consumer report LOG` shows its lag;
 * `~` is in no module's name, so no module can take the name of another's second consumer.
 */
export const commandConsumer = (module: string): string => module;

/** Reads a module's past at its start; made anew each time, gone when unused. */
export const foldConsumer = (module: string): string => `${module}~fold`;

/**
 * The one priority group of consumers that are pulled across accounts. Their policy is `pinned_client`, for its side
 * effect that every message is delivered with a header: to a streamed service import a message without header and
 * payload is the end of the answer, and what is delivered behind it goes nowhere. See docs/decisions/0014.
 */
export const PULL_GROUP = 'host';

/** What an acknowledged record survives. Whoever writes many records at once groups them by it. */
export const DURABILITIES = ['fsync', 'os'] as const;
export const DurabilitySchema = Type.Enum(['fsync', 'os'], {
  description: 'What an acknowledged record survives. fsync: loss of power; os: the death of any process.',
});
export type Durability = Static<typeof DurabilitySchema>;
