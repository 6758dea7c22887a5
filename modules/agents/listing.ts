import { right } from 'fp-ts/lib/Either.js';
import type { Decide } from './agents-deciders.js';
import { enroll as enrolled, isEnrolled, page, strike as struck } from './register.js';
import { registerOf } from './agents-state.js';

const DEFAULT_LIMIT = 100;

/**
 * A decider sees the state of its own agent only, and `list` has to see all. So `spawn` and `retire` send a command
 * here, where the module itself is addressed; a listing is behind a spawn by as long as that command takes. They come in
 * the order in which they were decided, so a `strike` never overtakes its `enroll`.
 */
export const enroll: Decide<'enroll'> = (state, { data }) => {
  const register = registerOf(state);
  return right({
    data: { total: enrolled(register, data.agent).total },
    events: isEnrolled(register, data.agent) ? [] : [{ name: 'enrolled', data }],
  });
};

export const strike: Decide<'strike'> = (state, { data }) => {
  const register = registerOf(state);
  return right({
    data: { total: struck(register, data.agent).total },
    events: isEnrolled(register, data.agent) ? [{ name: 'struck', data }] : [],
  });
};

export const list: Decide<'list'> = (state, { data: { prefix = '', after = '', limit = DEFAULT_LIMIT } }) => {
  const register = registerOf(state);
  const { names, more } = page(register, { prefix, after, limit });
  return right({
    data: { agents: [...names], next: more ? (names.at(-1) ?? null) : null, total: register.total },
  });
};
