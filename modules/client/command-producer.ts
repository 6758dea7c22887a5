import { type Either, isLeft, mapLeft, right } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import type { Receipt } from '../../journal/append/draft.js';
import type { Resumed } from '../../journal/producer/resumption.js';
import type { Fault } from '../../schemas/errors.js';
import { refusal } from '../../schemas/result.js';
import { type Addressed, addressed, type CalledModule, type ManifestIn } from '../sdk/addressed.js';
import type { ActionName } from '../sdk/define-manifest.js';
import type { Send } from '../sdk/module-shape.js';
import { Refused } from '../sdk/refused.js';
import { createProducer, type ProducerSettings, type SendOptions } from './task-producer.js';

/** A command that the producer has, in its outbox or in the log. */
export interface AcceptedCommand {
  /** Resolves when the log has the command; throws {@link Refused}. */
  readonly stored: Promise<Receipt>;
}

/**
 * Sends commands that must not be lost or stored twice: numbered without a gap, in order, each stored once, whatever
 * happens to the connection, the server or an acknowledgement. All methods throw {@link Refused}: the command is not in
 * the log, unless the code is `LOG_UNCERTAIN`.
 *
 * @example
 * await using producer = await tally.producer({ name: 'box-office', outbox: './outbox' });
 * await producer.send(tickets, 'sell', 'macbeth', { seats: 2 });
 */
export interface CommandProducer extends AsyncDisposable {
  /** Resolves when the log has the command: with its sequence `seq` and its number `n`. */
  readonly send: <C extends CalledModule, A extends ActionName<ManifestIn<C>>>(
    module: C,
    action: A,
    ...to: Addressed<ManifestIn<C>, A>
  ) => Promise<Receipt>;
  /** Resolves when the outbox or the log has the command: then the death of this program loses it no more. */
  readonly accept: <C extends CalledModule, A extends ActionName<ManifestIn<C>>>(
    module: C,
    action: A,
    ...to: Addressed<ManifestIn<C>, A>
  ) => Promise<AcceptedCommand>;
  /**
   * Sends many commands, each made by `send(module, action, agent, input)`. Resolves with what happened to each, in
   * their order: `{ _tag: 'Right', right: receipt }` or `{ _tag: 'Left', left: Refused }`.
   */
  readonly sendAll: (
    commands: readonly Send[],
    options?: SendOptions,
  ) => Promise<readonly Either<Refused, Receipt>[]>;
  /** What happened to the commands that the outbox had from earlier runs. They are sent before new ones. */
  readonly resumed: Promise<Resumed>;
  /** How many commands are not stored yet. */
  readonly pending: number;
  /** Ends the producer. What is not stored stays in the outbox. The connection stays open. */
  readonly close: () => Promise<void>;
}

const orRefused = <T>(said: Either<Fault, T>): T => {
  if (isLeft(said)) throw new Refused(refusal(said.left));
  return said.right;
};

/** Opens a producer on a connection. Throws {@link Refused}: NAME_INVALID, DATA_DIR_IN_USE and others. */
export const openCommandProducer = async (
  nc: NatsConnection,
  settings: ProducerSettings,
): Promise<CommandProducer> => {
  const producer = orRefused(await createProducer(nc, settings)());
  const to = (module: CalledModule, action: string, given: readonly unknown[]) => {
    const { agent, data } = addressed(module, action, given);
    return [module.manifest, action, agent, data as never] as const;
  };
  return {
    send: async (module, action, ...given) => orRefused(await producer.send(...to(module, action, given))()),
    accept: async (module, action, ...given) => {
      const { stored } = orRefused(await producer.accept(...to(module, action, given))());
      const kept = stored.then(orRefused);
      // A refusal that nobody waits for is no reason to end the program.
      kept.catch(() => undefined);
      return { stored: kept };
    },
    sendAll: async (commands, options) => {
      const all = await producer.sendAll(commands, options)();
      if (isLeft(all)) return all.left.records.map(mapLeft((fault) => new Refused(refusal(fault))));
      return all.right.map((receipt) => right(receipt));
    },
    resumed: producer.resumed,
    get pending() {
      return producer.pending;
    },
    close: producer.close,
    [Symbol.asyncDispose]: producer.close,
  };
};
