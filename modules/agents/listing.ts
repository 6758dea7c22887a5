import { right } from 'fp-ts/lib/Either.js';
import type { AgentsDecide } from './agents-deciders.js';
import { withName as enrolled, isEnrolled, page, withoutName as struck } from './register.js';
import { registerOf } from './agents-state.js';

const DEFAULT_LIMIT = 100;

/**
 * A decider sees only the state of its agent, and `list` has to see all. So `spawn` and `retire` send a command here,
 * where the module itself is addressed; a listing is behind a spawn by as long as that command takes. They come in
 * the order in which they were decided, so a `strike` never overtakes its `enroll`.
 */
export const enroll: AgentsDecide<'enroll'> = (state, { data }) => {
  const register = registerOf(state);
  return right({
    data: { total: enrolled(register, data.agent).total },
    events: isEnrolled(register, data.agent) ? [] : [{ name: 'enrolled', data }],
  });
};

export const strike: AgentsDecide<'strike'> = (state, { data }) => {
  const register = registerOf(state);
  return right({
    data: { total: struck(register, data.agent).total },
    events: isEnrolled(register, data.agent) ? [{ name: 'struck', data }] : [],
  });
};

export const list: AgentsDecide<'list'> = (
  state,
  { data: { prefix = '', after = '', limit = DEFAULT_LIMIT } },
) => {
  const register = registerOf(state);
  const { names, more } = page(register, { prefix, after, limit });
  return right({
    data: { agents: [...names], next: more ? (names.at(-1) ?? null) : null, total: register.total },
  });
};
