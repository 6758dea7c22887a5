import * as E from 'fp-ts/lib/Either.js';
import type { Producer } from '../../journal/producer/producer.js';
import { type Cancelled, childrenText, MAX_CHILDREN } from '../../schemas/cancel.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import { partOrInvalid } from '../../schemas/names.js';
import { cancelSubject } from '../../schemas/subjects.js';
import { failPoint } from '../../system/processes/fail-point.js';
import type { LogIndex } from '../index/log-index.js';
import type { OpenCommand } from '../index/open-commands.js';

/** What is to be cancelled, and for whom. */
export interface CancelOrder {
  readonly command: number;
  /** The account that cancels. */
  readonly by: string;
  /** Whether the calls of its handler that have no result are cancelled first. */
  readonly children: boolean;
}

type KnownLog = Pick<LogIndex, 'commands' | 'reached' | 'recentResult'>;

const answered = (command: number): E.Either<Fault, never> =>
  E.left(fault('RESULT_STORED', `command ${command} has its result, so nothing can cancel it`));

const notKnown = (command: number): E.Either<Fault, never> =>
  E.left(
    fault(
      'LOG_UNCERTAIN',
      `whether an earlier request cancelled ${command} is unknown until the broker starts again`,
    ),
  );

/**
 * Stores that commands are cancelled: once for each. Whether one is cancelled is read from the log, so a broker that is
 * killed in between has stored it or not, and the next one knows which.
 */
export class Canceller {
  /** Work under way by command: two requests for the same are one after the other. */
  readonly #busy = new Map<number, Promise<unknown>>();
  /** Their record may or may not be stored; what the log says is known after the next start. */
  readonly #uncertain = new Set<number>();

  constructor(
    private readonly producer: Pick<Producer, 'append'>,
    private readonly index: KnownLog,
  ) {}

  /** The index must have read the command. */
  async cancel(order: CancelOrder): Promise<E.Either<Fault, Cancelled>> {
    const { command } = order;
    const before = this.#busy.get(command);
    const working = (async () => {
      await before;
      return this.#cancel(order);
    })();
    const settled = working.catch(() => undefined);
    this.#busy.set(command, settled);
    try {
      return await working;
    } finally {
      if (this.#busy.get(command) === settled) this.#busy.delete(command);
    }
  }

  async #cancel(order: CancelOrder): Promise<E.Either<Fault, Cancelled>> {
    const { command, by, children: withChildren } = order;
    const { commands } = this.index;
    if (commands.get(command) === undefined) return answered(command);
    const below = withChildren ? await this.#children(command, by) : E.right({ direct: [], all: [] });
    if (E.isLeft(below)) return below;
    const { direct, all } = below.right;
    const open = commands.get(command);
    if (open === undefined) return answered(command);
    if (open.cancel !== 0) return E.right({ command, cancel: open.cancel, already: true, children: all });
    if (this.#uncertain.has(command)) return notKnown(command);
    const stored = await this.#store(open, by, direct);
    if (E.isLeft(stored)) return stored;
    // The log may have the result before the cancel: then nothing comes of the cancel.
    const resultSeq = this.index.recentResult(command);
    if (resultSeq !== undefined && resultSeq < stored.right) return answered(command);
    return E.right({ command, cancel: stored.right, already: false, children: all });
  }

  /** Cancels the calls of a handler that have no result: those of their handlers first. */
  async #children(
    command: number,
    by: string,
  ): Promise<E.Either<Fault, { readonly direct: readonly number[]; readonly all: readonly number[] }>> {
    const [direct, all]: [number[], number[]] = [[], []];
    for (const { seq } of this.index.commands.unanswered(command, MAX_CHILDREN)) {
      const cancelled = await this.cancel({ command: seq, by, children: true });
      if (E.isRight(cancelled)) {
        direct.push(seq);
        all.push(...cancelled.right.children, seq);
      } else if (cancelled.left.code !== 'RESULT_STORED') return cancelled;
    }
    return E.right({ direct, all });
  }

  async #store(open: OpenCommand, by: string, children: readonly number[]): Promise<E.Either<Fault, number>> {
    const { seq, module, name, agent, conversation } = open;
    failPoint('cancel.storing');
    const stored = await this.producer.append(
      {
        subject: cancelSubject({
          module: partOrInvalid(module),
          name: partOrInvalid(name),
          ...(agent === undefined ? {} : { agent: partOrInvalid(agent) }),
        }),
        data: encodeJson({ by }),
        headers: {
          [HEADER.cause]: String(seq),
          [HEADER.conversation]: String(conversation),
          ...(children.length === 0 ? {} : { [HEADER.children]: childrenText(children) }),
        },
      },
      // Not for the outbox: the next start reads from the log whether it is stored.
      { keep: false },
    )();
    failPoint('cancel.stored');
    if (E.isLeft(stored)) {
      if (stored.left.code === 'LOG_UNCERTAIN') this.#uncertain.add(seq);
      return stored;
    }
    // The next request must find it.
    await this.index.reached(stored.right.seq);
    return E.right(stored.right.seq);
  }
}
