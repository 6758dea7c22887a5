import { isLeft, right } from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type AgentErasure, OPS } from '../../schemas/operate.js';
import { ask } from '../../link/request-broker.js';
import type { TargetOptions } from '../../link/target.js';
import { withConnection } from '../connect/connect.js';
import { DEFAULT_TIMEOUT_MS, moreTime } from '../connect/slow-request.js';
import { askYes, canAsk } from '../output/ask-yes.js';
import { EXIT, type ExitCode } from '../output/exit.js';
import { print, printJson } from '../output/output.js';
import { who } from './with-agents.js';

export interface EraseOptions extends TargetOptions {
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly timeout?: number;
}

const EFFECT = 'Its encrypted values can never be read again, and it takes no more commands.';

export const erasureText = ({ module, agent, already }: AgentErasure): string =>
  already ? `${who(module, agent)} was erased before` : `${who(module, agent)} is erased. ${EFFECT}`;

/** Asks the broker to destroy the key of an agent, after a question on a terminal. USAGE if there is none to ask on. */
export const eraseAgent = (
  module: string,
  agent: string,
  options: EraseOptions,
): TE.TaskEither<Fault, ExitCode> => {
  const { yes = false, json = false, timeout = DEFAULT_TIMEOUT_MS } = options;
  if (!yes && (json || !canAsk())) {
    const why = json ? '--json asks no question' : 'there is no terminal to ask on';
    return TE.left(fault('USAGE', `${why}; give --yes to erase ${who(module, agent)}`));
  }
  return withConnection(options, (nc) => async () => {
    if (!yes && !(await askYes(`${EFFECT}\nErase ${who(module, agent)}?`))) return right(EXIT.no);
    const body = { module, agent, waitMs: timeout };
    const erased = await ask<AgentErasure>(nc, OPS.agentErase, body, moreTime({}, timeout).timeout)();
    if (isLeft(erased)) return erased;
    if (json) printJson(erased.right);
    else print(erasureText(erased.right));
    return right(EXIT.done);
  });
};
