import { chain, type Either, left, map, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type ActionName, type Decide as DecideOf, type Rejection, send } from '../sdk/index.js';
import { agentsManifest } from './agents-manifest.js';
import { type Agent, MAX_CONVERSATIONS, type AgentsState } from './agents-state.js';

export type AgentsDecide<A extends ActionName<typeof agentsManifest>> = DecideOf<
  typeof agentsManifest,
  AgentsState,
  A
>;

const reject = (code: string, message: string): Either<Rejection, never> => left({ code, message });

const known = ({ agent }: AgentsState, name: string): Either<Rejection, Agent> =>
  agent === undefined ? reject('NOT_SPAWNED', `there is no agent ${name}: spawn it first`) : right(agent);

const active = (state: AgentsState, name: string): Either<Rejection, Agent> =>
  pipe(
    known(state, name),
    chain((agent) =>
      agent.status === 'retired'
        ? reject('RETIRED', `agent ${name} was retired at ${agent.since}`)
        : right(agent),
    ),
  );

export const spawn: AgentsDecide<'spawn'> = ({ agent }, { agent: name, time, data }) => {
  if (agent?.status === 'active')
    return reject('ALREADY_SPAWNED', `agent ${name} was spawned at ${agent.since}`);
  if (agent !== undefined)
    return reject('RETIRED', `agent ${name} was retired at ${agent.since}: take another name`);
  const profile = { kind: data.kind ?? null, labels: data.labels ?? {} };
  return right({
    data: profile,
    events: [{ name: 'spawned', data: { ...profile, at: time } }],
    commands: [send(agentsManifest, 'enroll', undefined, { agent: name })],
  });
};

export const retire: AgentsDecide<'retire'> = (state, { agent: name, time }) =>
  pipe(
    active(state, name),
    map((agent) => ({
      data: { released: agent.conversations.length },
      events: [{ name: 'retired', data: { at: time } }],
      commands: [send(agentsManifest, 'strike', undefined, { agent: name })],
    })),
  );

export const assign: AgentsDecide<'assign'> = (state, { agent: name, data, ...command }) =>
  pipe(
    active(state, name),
    chain(({ conversations }) => {
      const conversation = data.conversation ?? command.conversation;
      if (conversations.includes(conversation)) {
        return reject('ALREADY_ASSIGNED', `agent ${name} has conversation ${conversation} already`);
      }
      const open = conversations.length + 1;
      return open > MAX_CONVERSATIONS
        ? reject(
            'TOO_MANY_CONVERSATIONS',
            `agent ${name} has ${conversations.length} of ${MAX_CONVERSATIONS} allowed`,
          )
        : right({ data: { conversation, open }, events: [{ name: 'assigned', data: { conversation } }] });
    }),
  );

export const release: AgentsDecide<'release'> = (state, { agent: name, data, ...command }) =>
  pipe(
    active(state, name),
    chain(({ conversations }) => {
      const conversation = data.conversation ?? command.conversation;
      return conversations.includes(conversation)
        ? right({
            data: { conversation, open: conversations.length - 1 },
            events: [{ name: 'released', data: { conversation } }],
          })
        : reject('NOT_ASSIGNED', `agent ${name} does not have conversation ${conversation}`);
    }),
  );

export const info: AgentsDecide<'info'> = (state, { agent: name }) =>
  pipe(
    known(state, name),
    map((agent) => ({
      data: { ...agent, labels: { ...agent.labels }, conversations: [...agent.conversations] },
    })),
  );
