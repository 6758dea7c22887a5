import type { errors } from 'nats';

/** The errors of the client of NATS, by their names. */
export type ClientErrorName = keyof typeof errors;

/** The client gives this error a name that is not the name of its class. Source: nats-core 3.4, `errors.ts`. */
const nameOf = (name: ClientErrorName): string => (name === 'NoRespondersError' ? 'NoResponders' : name);

/**
 * Whether the client threw one of these errors. We go by the name, not by the class: you can give us a connection that
 * another copy of the client has opened. That copy has other classes.
 */
export const isClientError = <N extends ClientErrorName>(
  thrown: unknown,
  ...names: readonly N[]
): thrown is InstanceType<(typeof errors)[N]> =>
  thrown instanceof Error && names.some((name) => nameOf(name) === thrown.name);
