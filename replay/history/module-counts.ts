import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { nuid } from 'nats';
import { createConsumer, deleteConsumer, type LogApi } from '../../journal/read/reader-api.js';
import { consumerConfig } from '../../journal/read/reader-position.js';
import { type Fault, fault } from '../../schemas/errors.js';

/** Records of a module up to a place of the log. */
export interface ModuleCounts {
  readonly module: string;
  readonly commands: number;
  readonly results: number;
  readonly events: number;
}

const KINDS = ['cmd', 'res', 'evt'] as const;

/** A log grows while it is counted: then it is counted again. */
const TRIES = 20;

/** How many records fit a filter from a sequence on: the server knows it without reading them. */
const countFrom = async (api: LogApi, filter: string, fromSeq: number): Promise<Either<Fault, number>> => {
  const plan = {
    ...{ filters: [filter], fromSeq, fromTime: undefined, untilSeq: undefined },
    ...{ follow: false, headersOnly: true },
  };
  const made = await createConsumer(api, `count-${nuid.next()}`, consumerConfig(plan, 0));
  if (isLeft(made)) return left(made.left.fault);
  deleteConsumer(api, made.right.name);
  return right(made.right.pending);
};

const countTo = async (api: LogApi, filter: string, atSeq: number): Promise<Either<Fault, number>> => {
  for (let i = 0; i < TRIES; i++) {
    const behind = await countFrom(api, filter, atSeq + 1);
    const all = await countFrom(api, filter, 1);
    const again = await countFrom(api, filter, atSeq + 1);
    if (isLeft(behind)) return behind;
    if (isLeft(all)) return all;
    if (isLeft(again)) return again;
    if (behind.right === again.right) return right(all.right - behind.right);
  }
  return left(fault('OVERLOADED', 'the log grows too fast to count it; try again'));
};

const ofModule = async (api: LogApi, module: string, atSeq: number): Promise<Either<Fault, ModuleCounts>> => {
  const found = await Promise.all(KINDS.map((kind) => countTo(api, `${kind}.${module}.>`, atSeq)));
  const counts: number[] = [];
  for (const each of found) {
    if (isLeft(each)) return each;
    counts.push(each.right);
  }
  const [commands = 0, results = 0, events = 0] = counts;
  return right({ module, commands, results, events });
};

/** How many commands, results and events each of some modules had when the log had come to a place. */
export const moduleCounts =
  (api: LogApi, modules: readonly string[], atSeq: number): TaskEither<Fault, readonly ModuleCounts[]> =>
  async () => {
    const counts: ModuleCounts[] = [];
    for (const module of modules) {
      const found = await ofModule(api, module, atSeq);
      if (isLeft(found)) return found;
      counts.push(found.right);
    }
    return right(counts);
  };
