import Type, { type Static } from 'typebox';

/** The one stream: every command, result, event and epoch. */
export const LOG = 'LOG';

/** The largest record in bytes, with its headers. */
export const MAX_RECORD_BYTES = 1_048_576;

/** The most bytes of a record's headers. The server keeps their length in 16 bits, and replies 10097 to more. */
export const MAX_HEADER_BYTES = 65_535;

/** The largest payload of a sender, in bytes: the headers of the broker must fit into the record too. */
export const MAX_PAYLOAD_BYTES = 983_040;

/**
 * Names of the log's consumers. A module's consumer has the module's name, so that `nats consumer report LOG` shows
 * its lag. `~` is in no module's name, so no module can take the name of another's second consumer.
 */
export const commandConsumer = (module: string): string => module;

/** Reads a module's past at its start. The broker makes it for each start; the server removes it when unused. */
export const foldConsumer = (module: string): string => `${module}~fold`;

/**
 * The one priority group of consumers that are pulled across accounts. Their policy is `pinned_client`, for a side
 * effect: the server delivers every message with a header. To a streamed service import, a message without header and
 * payload is the end of the reply, and later messages are lost. See docs/decisions/0014.
 */
export const PULL_GROUP = 'host';

/** What an acknowledged record survives. Writers of many records group them by it. */
export const DURABILITIES = ['fsync', 'os'] as const;
export const DurabilitySchema = Type.Enum(['fsync', 'os'], {
  description: 'What an acknowledged record survives. fsync: loss of power; os: the death of any process.',
});
export type Durability = Static<typeof DurabilitySchema>;
