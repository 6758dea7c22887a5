import { type Left, left, type Right, right } from 'fp-ts/lib/Either.js';
import type { Decision, Rejection, Send } from './module-shape.js';

/** Events by their names, as {@link ok} takes them: `{ sold: { seats: 2 } }`. */
export type EventsByName = Readonly<Record<string, unknown>>;

/** The same events as the log has them: one of `{ name: 'sold', data: { seats: 2 } }`. */
export type NamedEvent<Events> = Events extends unknown
  ? {
      [E in keyof Events & string as Events[E] extends undefined ? never : E]: {
        readonly name: E;
        readonly data: Events[E];
      };
    } extends infer ByName
    ? ByName[keyof ByName]
    : never
  : never;

/** Appends the events to a list. Each result comes through here: no copies, and no closures. */
const appendNamed = (list: { name: string; data: unknown }[], events: EventsByName): void => {
  for (const name of Object.keys(events)) list.push({ name, data: events[name] });
};

/**
 * The result of a handler that does what it was asked: the caller gets `output`, the agent's state gets the events.
 *
 * `events` is an object by name, in the order in which they happened; an array of such objects if one name comes twice.
 * `commands` are sent with the result, each made by `send`. All of it becomes one record, or nothing of it.
 *
 * @example ok({ left: 2 }, { sold: { seats: 98 } })
 */
export const ok = <const Output, const Events extends EventsByName = Record<never, never>>(
  output: Output,
  events?: Events | readonly Events[],
  commands?: readonly Send[],
): Right<Decision<Output, NamedEvent<Events>>> => {
  const decision: { data: unknown; events?: unknown[]; commands?: readonly Send[] } = { data: output };
  if (events !== undefined) {
    const happened: { name: string; data: unknown }[] = [];
    if (Array.isArray(events)) for (const each of events) appendNamed(happened, each);
    else appendNamed(happened, events as EventsByName);
    if (happened.length > 0) decision.events = happened;
  }
  if (commands !== undefined) decision.commands = commands;
  return right(decision) as Right<Decision<Output, NamedEvent<Events>>>;
};

/**
 * The result of a handler that refuses: nothing happens, and the caller gets the code and the message. `code` is in
 * capitals: `SOLD_OUT`. `retryable`: the same command may succeed later (default false).
 */
export const reject = <const Code extends string>(
  code: Code,
  message: string,
  { retryable = false }: { readonly retryable?: boolean } = {},
): Left<Rejection<Code>> =>
  left({ code, message, ...(retryable ? { retryable } : {}) }) as Left<Rejection<Code>>;
