import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import Type from 'typebox';
import accountsModule from '../../modules/accounts/index.js';
import {
  type Command,
  defineManifest,
  defineModule,
  type EffectContext,
  type EventOf,
  type Send,
} from '../../modules/sdk/index.js';

const { manifest: accounts } = accountsModule;

const Step = Type.Object({ by: Type.Integer({ maximum: 100 }) }, { additionalProperties: false });
const Count = Type.Object({ count: Type.Integer({ maximum: 100 }) }, { additionalProperties: false });

export const manifest = defineManifest({
  name: 'counter',
  version: '1.0.0',
  description: 'A module to try the SDK and the kit with.',
  actions: {
    add: { input: Step, output: Count },
    buy: { input: Step, output: Count },
    reset: { agent: 'none', callers: 'self', input: Step, output: true },
  },
  events: { added: { data: Step } },
  dependencies: { accounts: ['withdraw'] },
  start: { entry: './index.js' },
});

type State = { count: number };
type Decided = ReturnType<typeof added>;
export type Add = (
  state: State,
  command: Command<{ by: number }>,
) => E.Either<{ code: string; message: string }, Decided>;
export type Buy = (
  command: Command<{ by: number }>,
  context: EffectContext<State, EventOf<typeof manifest>>,
) => TE.TaskEither<{ code: string; message: string }, Decided>;

const added = ({ count }: State, by: number) => ({
  data: { count: count + by },
  events: [{ name: 'added' as const, data: { by } }],
  commands: [] as Send[],
});

export const add: Add = (state, { data: { by } }) => E.right(added(state, by));

export const buy: Buy = ({ agent, data: { by } }, { state, call }) =>
  pipe(
    call(accounts, 'withdraw', agent, { amount: by }),
    TE.bimap(
      ({ error }) => error,
      () => added(state, by),
    ),
  );

/** The counter, with a handler or a fold of the test's own. */
export const counter = (
  own: { add?: Add; buy?: Buy; fold?: (state: State, data: { by: number }) => State } = {},
) =>
  defineModule({
    manifest,
    initial: { count: 0 } as State,
    actions: {
      add: { decide: own.add ?? add },
      buy: { run: own.buy ?? buy },
      reset: { decide: () => E.right({ data: null }) },
    },
    evolve: { added: own.fold ?? (({ count }, { by }) => ({ count: count + by })) },
  });
