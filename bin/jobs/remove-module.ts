import { isLeft, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { type ModuleRemoval, OPS } from '../../schemas/operate.js';
import { withConnection } from '../connect/connect.js';
import { askYes, canAsk } from '../output/ask-yes.js';
import { EXIT, type ExitCode } from '../output/exit.js';
import { asTyped } from '../output/typed-program.js';
import { print, printJson } from '../output/output.js';
import { brokerDataDir } from '../../link/broker-data-dir.js';
import { removeBuilds } from './module-builds.js';
import { ask } from '../../link/request-broker.js';
import { DEFAULT_TIMEOUT_MS, moreTime } from '../connect/slow-request.js';
import type { TargetOptions } from '../../link/target.js';

export interface RemoveOptions extends TargetOptions {
  readonly json?: boolean;
  readonly unload?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly timeout?: number;
}

const commands = (count: number): string => (count === 1 ? '1 command' : `${count} commands`);

/** The effect of a removal, before or after it. */
export const removalText = ({ name, removed, waiting, note }: ModuleRemoval): string => {
  const what = removed
    ? `${name} is removed; ${commands(waiting)} that waited got the result MODULE_UNKNOWN`
    : `${name}: ${commands(waiting)} ${waiting === 1 ? 'waits' : 'wait'}; if you remove the module, they get the result MODULE_UNKNOWN and are never handled`;
  return note === null ? what : `${what}\n${note}`;
};

/** A broker on another machine has its builds there. */
const removeBuildsHere = (nc: NatsConnection, name: string): TE.TaskEither<Fault, void> =>
  pipe(
    brokerDataDir(nc),
    TE.map((dir): string | undefined => dir),
    TE.orElse(() => TE.right<Fault, string | undefined>(undefined)),
    TE.chain((dir) => (dir === undefined ? TE.right(undefined) : removeBuilds(dir, name))),
  );

const request = (
  nc: NatsConnection,
  name: string,
  { unload = false, timeout = DEFAULT_TIMEOUT_MS }: RemoveOptions,
  dryRun: boolean,
): TE.TaskEither<Fault, ModuleRemoval> =>
  pipe(
    ask<ModuleRemoval>(
      nc,
      OPS.moduleRemove,
      { name, unload, dryRun, waitMs: timeout },
      moreTime({}, timeout).timeout,
    ),
    TE.chainFirst(({ removed }) => (removed ? removeBuildsHere(nc, name) : TE.right(undefined))),
  );

const show = (removal: ModuleRemoval, json: boolean): ExitCode => {
  if (json) printJson(removal);
  else print(asTyped(removalText(removal)));
  return EXIT.done;
};

/** Asks the broker to forget a module, after a question on a terminal. USAGE if there is no terminal to ask on. */
export const removeModule = (name: string, options: RemoveOptions): TE.TaskEither<Fault, ExitCode> => {
  const { dryRun = false, yes = false, json = false } = options;
  if (!dryRun && !yes && (json || !canAsk())) {
    const why = json ? '--json asks no question' : 'there is no terminal to ask on';
    return TE.left(fault('USAGE', `${why}; give --yes to remove ${name}, or --dry-run to see the effect`));
  }
  return withConnection(options, (nc) => async () => {
    if (!yes) {
      const asked = await request(nc, name, options, true)();
      if (isLeft(asked)) return asked;
      if (dryRun) return right(show(asked.right, json));
      const question = `${asTyped(removalText(asked.right))}\nRemove ${name}?`;
      if (!(await askYes(question))) return right(EXIT.no);
    }
    const removed = await request(nc, name, options, dryRun)();
    return isLeft(removed) ? removed : right(show(removed.right, json));
  });
};
