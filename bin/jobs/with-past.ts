import type { Command } from 'commander';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { StateAtQuery } from '../../replay/fold/state-at.js';
import type { Fault } from '../../schemas/errors.js';
import type { Masks } from '../../schemas/masks.js';
import type { TargetOptions } from '../../link/target.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { type RevealOptions, withReveal } from '../connect/known-masks.js';
import { logPlace, name } from '../options/option-values.js';
import { moduleCode } from './module-code.js';
import { withAgents } from './with-agents.js';

export interface FoldOptions extends TargetOptions, RevealOptions {
  /** Source file, directory or package of the code to fold with. */
  readonly module?: string;
}

/** The agent whose past is asked for, and how to read it. */
export type PastQuery = Omit<StateAtQuery, 'at'>;

/** Opens what the past of an agent is folded from: the snapshots, the log, and the code of its module. */
export const withPast = <T>(
  module: string,
  agent: string,
  options: FoldOptions,
  work: (query: PastQuery, masks: Masks) => TE.TaskEither<Fault, T>,
): TE.TaskEither<Fault, T> =>
  withAgents(module, options, (agents, masks) =>
    withConnection(options, (nc) =>
      pipe(
        moduleCode(nc, module, options.module),
        TE.chain((code) => work({ nc, agents, module: code, agent }, masks.with(code.manifest))),
      ),
    ),
  );

/** A command about the state of one agent, now or at a place in the log. */
export const stateCommand = (group: Command, verb: string, description: string): Command =>
  withReveal(
    withTargetOptions(
      group
        .command(verb)
        .argument('<module>', 'whose agent', name('MODULE'))
        .argument('[agent]', 'the agent (default: the module itself)', name('AGENT'))
        .description(description),
    ),
  )
    .option('--at <place>', 'the state at a sequence, at a time, or a duration ago', logPlace('--at'))
    .option(
      '--module <path>',
      'source file, directory or package of the code to fold the past with (default: the loaded module)',
    );
