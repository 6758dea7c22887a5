import Type from 'typebox';
import { DeliveredEventSchema } from '../../schemas/delivered-event.js';
import { FaultError, fault } from '../../schemas/errors.js';
import type { Heard } from '../../schemas/heard-events.js';
import type { ActionManifest } from '../../schemas/manifest.js';
import { isName } from '../../schemas/names.js';
import { type AnySchema, inManifest } from './schema-of.js';

/** What `on` of a definition says of some events, its types checked where it was defined. */
interface AnyEventHandler extends Omit<Heard, 'action'> {
  readonly action?: string;
  readonly to?: 'agent' | 'module';
  readonly data?: AnySchema;
  readonly decide?: unknown;
  readonly run?: unknown;
}
export type AnyEventHandlers = Readonly<Record<string, AnyEventHandler>>;

interface DerivedHandlers {
  readonly on: Readonly<Record<string, Heard>>;
  readonly actions: Readonly<
    Record<string, Omit<ActionManifest, 'input' | 'output'> & { input: AnySchema; output: AnySchema }>
  >;
}

/** `on-accounts-deposited`, `on-accounts` for all of its events. */
const actionName = (module: string, events: string): string => {
  const name = `on-${events.replace(/\.>$/, '').replace('.', '-')}`;
  if (isName(name)) return name;
  const message = `the action for ${events} would be ${name}, which is no name: give it one with \`action\``;
  throw new FaultError(fault('MANIFEST_INVALID', `on of ${module}: ${message}`, '/on'));
};

/** The actions that handle the events of `on`: the broker sends each event as a command. */
export const eventActions = (module: string, handlers: AnyEventHandlers): DerivedHandlers => {
  const on: Record<string, Heard> = {};
  const actions: Record<string, DerivedHandlers['actions'][string]> = {};
  for (const [events, { action, to = 'agent', data, from, agent, ...rest }] of Object.entries(handlers)) {
    const name = action ?? actionName(module, events);
    if (Object.hasOwn(actions, name)) {
      const message = `on of ${module}: two entries have the action ${name}; give one another with \`action\``;
      throw new FaultError(fault('MANIFEST_INVALID', message, '/on'));
    }
    const schema = data === undefined ? Type.Unknown() : inManifest(data, `the data of ${events}`);
    on[events] = {
      action: name,
      ...(from === undefined ? {} : { from }),
      ...(agent === undefined ? {} : { agent }),
    };
    actions[name] = {
      ...rest,
      callers: 'events',
      agent: to === 'module' ? 'none' : 'required',
      input: Type.Object({ ...DeliveredEventSchema.properties, data: schema }),
      output: Type.Null(),
    };
  }
  return { on, actions };
};
