import Type from 'typebox';
import { NAME_PATTERN } from '../../schemas/names.js';
import { defineManifest } from '../sdk/index.js';

const Strict = { additionalProperties: false } as const;
const Name = Type.String({ pattern: NAME_PATTERN });
const Kind = Type.String({ minLength: 1, maxLength: 64, description: 'What sort of agent it is.' });
const Labels = Type.Record(Name, Type.String({ maxLength: 256 }), { maxProperties: 16, ...Strict });
const Conversation = Type.Integer({
  minimum: 1,
  description: 'Sequence of the first record of the conversation.',
});
const Count = Type.Integer({ minimum: 0 });

const Profile = Type.Object({ kind: Type.Union([Kind, Type.Null()]), labels: Labels }, Strict);
const Member = Type.Object({ agent: Name }, Strict);
const Assigned = Type.Object({ conversation: Conversation }, Strict);
const OptionallyAssigned = Type.Object(
  { conversation: Type.Optional(Conversation) },
  { ...Strict, description: 'The conversation of the command itself when none is given.' },
);
const Open = Type.Object({ conversation: Conversation, open: Count }, Strict);

export const agentsManifest = defineManifest({
  name: 'agents',
  version: '1.0.0',
  description: 'A register of agents: who there is, what they are, and which conversations they work on.',
  actions: {
    spawn: {
      description: 'Brings an agent into being. A name is used once: a retired agent does not come back.',
      input: Type.Object({ kind: Type.Optional(Kind), labels: Type.Optional(Labels) }, Strict),
      output: Profile,
    },
    retire: {
      description: 'Ends an agent and releases its conversations.',
      input: Type.Object({}, Strict),
      output: Type.Object({ released: Count }, Strict),
    },
    assign: {
      description: 'Gives the agent a conversation to work on.',
      input: OptionallyAssigned,
      output: Open,
    },
    release: { description: 'Takes a conversation from the agent.', input: OptionallyAssigned, output: Open },
    info: {
      description: 'What is known of one agent.',
      input: Type.Object({}, Strict),
      output: Type.Object(
        {
          status: Type.Enum(['active', 'retired']),
          kind: Type.Union([Kind, Type.Null()]),
          labels: Labels,
          conversations: Type.Array(Conversation),
          since: Type.String({ description: 'When it took that status, RFC 3339.' }),
        },
        Strict,
      ),
    },
    list: {
      description: 'Names of the active agents in order, a page at a time.',
      agent: 'none',
      input: Type.Object(
        {
          prefix: Type.Optional(Type.String({ maxLength: 64 })),
          after: Type.Optional(Type.String({ maxLength: 64, description: '`next` of the page before.' })),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: '100 when absent.' })),
        },
        Strict,
      ),
      output: Type.Object(
        {
          agents: Type.Array(Name),
          next: Type.Union([Name, Type.Null()], {
            description: 'Give it as `after`; null on the last page.',
          }),
          total: Type.Integer({ minimum: 0, description: 'All active agents, whatever the prefix.' }),
        },
        Strict,
      ),
    },
    enroll: {
      description: 'Puts a spawned agent on the list.',
      agent: 'none',
      callers: 'self',
      input: Member,
      output: Type.Object({ total: Count }, Strict),
    },
    strike: {
      description: 'Takes a retired agent off the list.',
      agent: 'none',
      callers: 'self',
      input: Member,
      output: Type.Object({ total: Count }, Strict),
    },
  },
  events: {
    spawned: { data: Type.Object({ ...Profile.properties, at: Type.String() }, Strict) },
    retired: { data: Type.Object({ at: Type.String() }, Strict) },
    assigned: { data: Assigned },
    released: { data: Assigned },
    enrolled: { description: 'Of the module itself: the agent is on the list.', data: Member },
    struck: { description: 'Of the module itself: the agent is off the list.', data: Member },
  },
  start: { entry: './index.js' },
});
