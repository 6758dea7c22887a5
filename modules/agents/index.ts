import { NAME_PATTERN } from '../../schemas/names.js';
import { defineModule, ok, reject, send, Type } from '../sdk/index.js';
import {
  type Agent,
  INITIAL_AGENTS_STATE,
  MAX_CONVERSATIONS,
  registerOf,
  stateOf,
  withAgent,
} from './agents-state.js';
import { isEnrolled, page, withName, withoutName } from './register.js';

const Strict = { additionalProperties: false } as const;
const Name = Type.String({ pattern: NAME_PATTERN });
const Kind = Type.String({ minLength: 1, maxLength: 64, description: 'What sort of agent it is.' });
const Labels = Type.Record(Name, Type.String({ maxLength: 256 }), { maxProperties: 16, ...Strict });
const Conversation = Type.Integer({
  minimum: 1,
  description: 'Sequence of the first record of the conversation.',
});
const Count = Type.Integer({ minimum: 0 });

const Nothing = Type.Object({}, Strict);
const Spawning = Type.Object({ kind: Type.Optional(Kind), labels: Type.Optional(Labels) }, Strict);
const Profile = Type.Object({ kind: Type.Union([Kind, Type.Null()]), labels: Labels }, Strict);
const Spawned = Type.Object({ ...Profile.properties, at: Type.String() }, Strict);
const Retired = Type.Object({ at: Type.String() }, Strict);
const Released = Type.Object({ released: Count }, Strict);
const Assigned = Type.Object({ conversation: Conversation }, Strict);
const OptionallyAssigned = Type.Object(
  { conversation: Type.Optional(Conversation) },
  { ...Strict, description: 'The conversation of the command itself when none is given.' },
);
const Open = Type.Object({ conversation: Conversation, open: Count }, Strict);
const Info = Type.Object(
  {
    status: Type.Enum(['active', 'retired']),
    kind: Type.Union([Kind, Type.Null()]),
    labels: Labels,
    conversations: Type.Array(Conversation),
    since: Type.String({ description: 'When it took that status, RFC 3339.' }),
  },
  Strict,
);
const Member = Type.Object({ agent: Name }, Strict);
const Members = Type.Object({ total: Count }, Strict);
const Listing = Type.Object(
  {
    prefix: Type.Optional(Type.String({ maxLength: 64 })),
    after: Type.Optional(Type.String({ maxLength: 64, description: '`next` of the page before.' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: '100 when absent.' })),
  },
  Strict,
);
const ListedPage = Type.Object(
  {
    agents: Type.Array(Name),
    next: Type.Union([Name, Type.Null()], { description: 'Give it as `after`; null on the last page.' }),
    total: Type.Integer({ minimum: 0, description: 'All active agents, whatever the prefix.' }),
  },
  Strict,
);

const DEFAULT_LIMIT = 100;

const notSpawned = (name: string) => reject('NOT_SPAWNED', `there is no agent ${name}: spawn it first`);

/** Why an agent that is not active does nothing. */
const inactive = (agent: Agent | undefined, name: string) =>
  agent === undefined ? notSpawned(name) : reject('RETIRED', `agent ${name} was retired at ${agent.since}`);

/**
 * A decider sees only the state of its agent, and `list` has to see all. So `spawn` and `retire` send a command to the
 * module itself: `enroll`, `strike`. A listing is behind a spawn by as long as that command takes. They come in the
 * order in which they were decided, so a `strike` never overtakes its `enroll`.
 */
export default defineModule({
  name: 'agents',
  version: '1.0.0',
  description: 'A register of agents: who there is, what they are, and which conversations they work on.',
  state: INITIAL_AGENTS_STATE,
  events: {
    spawned: {
      data: Spawned,
      evolve: (_, { kind, labels, at }) =>
        stateOf({ status: 'active', kind, labels, conversations: [], since: at }),
    },
    retired: {
      data: Retired,
      evolve: (state, { at }) =>
        withAgent(state, (agent) => ({ ...agent, status: 'retired', conversations: [], since: at })),
    },
    assigned: {
      data: Assigned,
      evolve: (state, { conversation }) =>
        withAgent(state, (agent) => ({ ...agent, conversations: [...agent.conversations, conversation] })),
    },
    released: {
      data: Assigned,
      evolve: (state, { conversation }) =>
        withAgent(state, (agent) => ({
          ...agent,
          conversations: agent.conversations.filter((open) => open !== conversation),
        })),
    },
    enrolled: {
      description: 'Of the module itself: the agent is on the list.',
      data: Member,
      evolve: (state, { agent }) => ({ register: withName(registerOf(state), agent) }),
    },
    struck: {
      description: 'Of the module itself: the agent is off the list.',
      data: Member,
      evolve: (state, { agent }) => ({ register: withoutName(registerOf(state), agent) }),
    },
  },
  actions: {
    spawn: {
      description: 'Brings an agent into being. A name is used once: a retired agent does not come back.',
      input: Spawning,
      output: Profile,
      rejections: ['ALREADY_SPAWNED', 'RETIRED'],
      decide: ({ agent }, { kind = null, labels = {} }, { agent: name, time, self }) => {
        if (agent?.status === 'active')
          return reject('ALREADY_SPAWNED', `agent ${name} was spawned at ${agent.since}`);
        if (agent !== undefined)
          return reject('RETIRED', `agent ${name} was retired at ${agent.since}: take another name`);
        const profile = { kind, labels };
        return ok(profile, { spawned: { ...profile, at: time } }, [send(self, 'enroll', { agent: name })]);
      },
    },
    retire: {
      description: 'Ends an agent and releases its conversations.',
      input: Nothing,
      output: Released,
      rejections: ['NOT_SPAWNED', 'RETIRED'],
      decide: ({ agent }, _, { agent: name, time, self }) =>
        agent?.status === 'active'
          ? ok({ released: agent.conversations.length }, { retired: { at: time } }, [
              send(self, 'strike', { agent: name }),
            ])
          : inactive(agent, name),
    },
    assign: {
      description: 'Gives the agent a conversation to work on.',
      input: OptionallyAssigned,
      output: Open,
      rejections: ['NOT_SPAWNED', 'RETIRED', 'ALREADY_ASSIGNED', 'TOO_MANY_CONVERSATIONS'],
      decide: ({ agent }, input, { agent: name, ...command }) => {
        if (agent?.status !== 'active') return inactive(agent, name);
        const { conversations } = agent;
        const conversation = input.conversation ?? command.conversation;
        if (conversations.includes(conversation))
          return reject('ALREADY_ASSIGNED', `agent ${name} has conversation ${conversation} already`);
        const open = conversations.length + 1;
        if (open > MAX_CONVERSATIONS) {
          const text = `agent ${name} has ${conversations.length} of ${MAX_CONVERSATIONS} allowed`;
          return reject('TOO_MANY_CONVERSATIONS', text);
        }
        return ok({ conversation, open }, { assigned: { conversation } });
      },
    },
    release: {
      description: 'Takes a conversation from the agent.',
      input: OptionallyAssigned,
      output: Open,
      rejections: ['NOT_SPAWNED', 'RETIRED', 'NOT_ASSIGNED'],
      decide: ({ agent }, input, { agent: name, ...command }) => {
        if (agent?.status !== 'active') return inactive(agent, name);
        const conversation = input.conversation ?? command.conversation;
        return agent.conversations.includes(conversation)
          ? ok({ conversation, open: agent.conversations.length - 1 }, { released: { conversation } })
          : reject('NOT_ASSIGNED', `agent ${name} does not have conversation ${conversation}`);
      },
    },
    info: {
      description: 'What is known of one agent.',
      input: Nothing,
      output: Info,
      rejections: ['NOT_SPAWNED'],
      decide: ({ agent }, _, { agent: name }) => (agent === undefined ? notSpawned(name) : ok(agent)),
    },
    list: {
      description: 'Names of the active agents in order, a page at a time.',
      agent: 'none',
      input: Listing,
      output: ListedPage,
      decide: (state, { prefix = '', after = '', limit = DEFAULT_LIMIT }) => {
        const register = registerOf(state);
        const { names, more } = page(register, { prefix, after, limit });
        return ok({ agents: names, next: more ? (names.at(-1) ?? null) : null, total: register.total });
      },
    },
    enroll: {
      description: 'Puts a spawned agent on the list.',
      agent: 'none',
      callers: 'self',
      input: Member,
      output: Members,
      decide: (state, member) => {
        const register = registerOf(state);
        const { total } = withName(register, member.agent);
        return ok({ total }, isEnrolled(register, member.agent) ? {} : { enrolled: member });
      },
    },
    strike: {
      description: 'Takes a retired agent off the list.',
      agent: 'none',
      callers: 'self',
      input: Member,
      output: Members,
      decide: (state, member) => {
        const register = registerOf(state);
        const { total } = withoutName(register, member.agent);
        return ok({ total }, isEnrolled(register, member.agent) ? { struck: member } : {});
      },
    },
  },
});
