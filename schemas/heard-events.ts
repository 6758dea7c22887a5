import Type, { type Static } from 'typebox';
import { isSealedAction } from './encrypt.js';
import { HEADER } from './headers.js';
import { parseIdentity, parseSequence } from './identity.js';
import { NAME_PATTERN, OWNER_MARK } from './names.js';
import { pointer } from './schema-problem.js';
import { eventSubject, splitSubject } from './subjects.js';
import type { JsonSchema } from './validate.js';

/**
 * The sender of the commands by which modules hear events. No account has this name: modules do not begin with `_`, and
 * principals not with two of them.
 */
export const EVENTS_SENDER = '__events';

/** The producer of the commands by which one module hears events. */
export const deliverer = (listener: string): string => `${EVENTS_SENDER}${OWNER_MARK}${listener}`;

/** The subject of the records that say what a module listens to, and from where on. */
export const hearingSubject = (listener: string): string =>
  eventSubject({ module: EVENTS_SENDER, name: 'hearing', agent: listener });

/** Deliveries in a chain of causes. A longer one is a circle: the module refuses the delivery. */
export const MOST_IN_CHAIN = 64;

const PART = NAME_PATTERN.slice(1, -1);
/** `MODULE.EVENT`, or `MODULE.>` for all events of a module. */
export const HEARD_PATTERN = `^${PART}\\.(${PART}|>)$`;
const MAX_HEARD = 100;

/** The schema of an entry of `on` in a manifest. */
export const HeardSchema = Type.Object(
  {
    action: Type.String({
      pattern: NAME_PATTERN,
      description: 'The action that handles the events. It has `callers: "events"`.',
    }),
    from: Type.Optional(
      Type.Union([Type.Enum(['now', 'start']), Type.Integer({ minimum: 1 })], {
        description:
          'The first event: `now` (default), `start`, or a sequence of the log. Fixed when the module is first loaded with it.',
      }),
    ),
    agent: Type.Optional(
      Type.String({
        maxLength: 1_024,
        pattern: '^(/([^~/]|~[01])*)+$',
        description:
          'Where in the data of the event the name of the agent is, a JSON Pointer: `/customer`. Absent: the agent of the event.',
      }),
    ),
  },
  { additionalProperties: false },
);
/** What a module listens to, as its manifest says. */
export type Heard = Readonly<Static<typeof HeardSchema>>;

/** The schema of `on` in a manifest. */
export const OnSchema = Type.Record(Type.String({ pattern: HEARD_PATTERN }), HeardSchema, {
  maxProperties: MAX_HEARD,
  additionalProperties: false,
  description:
    'Events of other modules that it handles: {"accounts.deposited": {"action": "note"}}. `accounts.>`: all events of ' +
    'accounts that no other entry names. An operator who loads the module grants it.',
});

interface HearingManifest {
  readonly name: string;
  readonly on?: Readonly<Record<string, Heard>>;
  readonly encrypt?: boolean;
  readonly actions: Readonly<
    Record<string, { readonly callers?: string; readonly agent?: string; readonly input: JsonSchema }>
  >;
}

/** What is wrong with what a module listens to: a path in its manifest, and why. */
export const hearingProblem = (
  manifest: HearingManifest,
): { readonly path: string; readonly message: string } | undefined => {
  const { name, on = {}, actions } = manifest;
  for (const [events, { action, agent }] of Object.entries(on)) {
    const path = pointer('/on', events);
    const problem = (message: string): { path: string; message: string } => ({ path, message });
    if (events.startsWith(`${name}.`))
      return problem('names its own events: what they lead to is a part of their outcome');
    const handling = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (handling === undefined) return problem(`names the action ${action}, which is not declared`);
    if (handling.callers !== 'events')
      return problem(`names the action ${action}, which needs \`"callers": "events"\``);
    if (agent !== undefined && handling.agent === 'none')
      return problem(`says where the agent is, and ${action} takes none`);
    if (isSealedAction(manifest, handling))
      return problem(`names the action ${action}, whose input is encrypted: only people may send that`);
  }
  const used = new Set(Object.values(on).map(({ action }) => action));
  const unused = Object.entries(actions).find(
    ([action, { callers }]) => callers === 'events' && !used.has(action),
  );
  return unused === undefined
    ? undefined
    : {
        path: pointer('/actions', unused[0]),
        message: 'has `"callers": "events"`, and no entry of `on` names it',
      };
};

/** Subjects of the log that hold the events of an entry of `on`. */
export const heardSubjects = (events: string): readonly string[] =>
  events.endsWith('.>') ? [`evt.${events}`] : [`evt.${events}`, `evt.${events}.*`];

/** `accounts.deposited` of an event's subject; undefined: it is no event. */
export const eventIn = (subject: string): string | undefined => {
  const parts = splitSubject(subject);
  return parts?.kind === 'evt' ? `${parts.module}.${parts.name}` : undefined;
};

/** Whether an entry of `on` names an event, such as `accounts.deposited`. */
export const covers = (events: string, event: string): boolean =>
  events === event || (events.endsWith('.>') && event.startsWith(events.slice(0, -1)));

/** The delivery of an event, as its command in the log says it. */
export interface EventDelivery {
  /** The sequence of the event. */
  readonly event: number;
  /** All events up to here that the module listened to were delivered before, */
  readonly floor: number;
  /** by commands up to this sequence. */
  readonly behind: number;
}

/** The value of the header {@link HEADER.event}. */
export const formatDelivery = ({ event, floor, behind }: EventDelivery): string =>
  `${event} ${floor} ${behind}`;

type Header = (name: string) => string | undefined;
const sequenceOrNone = (text: string): number | undefined => (text === '0' ? 0 : parseSequence(text));

/** The delivery that a command is; undefined: it is none. Only what the broker stored for that listener counts. */
export const deliveryOf = (listener: string, header: Header): EventDelivery | undefined => {
  const text = header(HEADER.event);
  if (text === undefined || parseIdentity(header(HEADER.id) ?? '')?.producer !== deliverer(listener))
    return undefined;
  const [event, floor, behind] = text.split(' ').map(sequenceOrNone);
  return event === undefined || floor === undefined || behind === undefined
    ? undefined
    : { event, floor, behind };
};
