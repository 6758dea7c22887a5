import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type AgentState, ModuleAgents } from '../../store/snapshots/index.js';
import { type StateAtQuery, stateAt } from '../../replay/fold/state-at.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { writeJson } from '../../schemas/write-json.js';
import { findDataDir } from '../connect/data-dir.js';
import type { Masks } from '../../schemas/masks.js';
import { type RevealOptions, snapshotMasks } from '../connect/known-masks.js';
import type { ExitCode } from '../output/exit.js';
import { print, printJson } from '../output/output.js';
import { done } from '../output/run-command.js';
import type { TargetOptions } from '../../link/target.js';
import { faultThrown } from '../output/thrown-fault.js';

/** Opens the snapshots of a module, runs the work, and closes them in every case. */
export const withAgents = <T>(
  module: string,
  options: TargetOptions & RevealOptions,
  work: (agents: ModuleAgents, masks: Masks) => TE.TaskEither<Fault, T>,
): TE.TaskEither<Fault, T> =>
  pipe(
    findDataDir(options),
    TE.chain((dataDir) => async () => {
      const masks = await snapshotMasks(dataDir, options, `states of ${module}`)();
      if (E.isLeft(masks)) return masks;
      const agents = new ModuleAgents(module, dataDir);
      try {
        return await work(agents, masks.right)();
      } catch (thrown) {
        return E.left(faultThrown(thrown));
      } finally {
        await agents.close();
      }
    }),
  );

/** The module itself has a state too, without an agent's name. */
export const who = (module: string, agent: string): string =>
  agent === '' ? `${module} itself` : `${agent} of ${module}`;

/** AGENT_UNKNOWN. */
export const unknownAgent = (module: string, agent: string, when = ''): E.Either<Fault, never> =>
  E.left(fault('AGENT_UNKNOWN', `nothing has happened to ${who(module, agent)}${when}`));

export const describeState = (
  module: string,
  agent: string,
  { seq, time, schema, state }: AgentState,
  notes: readonly string[] = [],
): string =>
  [`${who(module, agent)}, at ${seq}, ${time}, schema ${schema}`, ...notes, writeJson(state, true)].join(
    '\n',
  );

/** A place in the log, as people read it. */
const placeText = (at: number | Date): string => (typeof at === 'number' ? `${at}` : at.toISOString());

/** The state at one place, or now. Records that the snapshots lack are folded from the log. */
export const showState = (
  query: Omit<StateAtQuery, 'at'>,
  at: number | Date | undefined,
  json: boolean,
  masks: Masks,
): TE.TaskEither<Fault, ExitCode> =>
  pipe(
    stateAt({ ...query, at: at ?? Number.MAX_SAFE_INTEGER }),
    TE.chainEitherK((found) => {
      const { agent } = query;
      const module = query.module.manifest.name;
      if (found === undefined)
        return unknownAgent(module, agent, at === undefined ? '' : ` by ${placeText(at)}`);
      const { at: upTo, folded, note, ...rest } = found;
      const state = { ...rest, state: masks.state(module, rest.state) };
      if (json) printJson({ module, agent, ...state, at: upTo, folded, note });
      else {
        const how = `as it was at ${upTo}, ${folded} records folded`;
        print(describeState(module, agent, state, [how, ...(note === undefined ? [] : [note])]));
      }
      return E.right(done);
    }),
  );
