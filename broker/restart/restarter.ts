import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import type { Producer } from '../../journal/producer/producer.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import { conversationOf, type StoredMessage } from '../../schemas/record.js';
import { type KeysBefore, keptOperations, type Restart, type Restarted } from '../../schemas/restart.js';
import { restartSubject, splitSubject } from '../../schemas/subjects.js';
import { failPoint } from '../../system/processes/fail-point.js';
import type { NamedCommand } from '../gateway/named-command.js';
import type { LogIndex } from '../index/log-index.js';
import { hasResultThatCounts, type RestartableCommand, readEndedCommand } from './ended-command.js';
import { operationNumber, type KeptPrefix, prefixOf } from './kept-prefix.js';
import { type PastHandler, readPastHandler } from './past-handler.js';

/** What is to be restarted, from where, and for whom. */
export interface RestartOrder {
  readonly command: NamedCommand;
  readonly from: number | string;
  /** The account that restarts. */
  readonly by: string;
}

interface RestarterOptions {
  readonly nc: NatsConnection;
  readonly producer: Pick<Producer, 'append'>;
  readonly index: Pick<LogIndex, 'commands' | 'reached' | 'restarts' | 'on'>;
  /** Commands that an operator has redriven this one as. */
  readonly redrivenBy: (command: number) => Promise<readonly number[]>;
  readonly log: (text: string) => void;
}

/** Headers of the command that are kept. Not its deadline, and no key: the key names the command before. */
const KEPT = [HEADER.priority, HEADER.trace, HEADER.traceState, HEADER.contentType] as const;

/** Operations that a reply names, steps whose key is kept, and commands before: a record has to hold them. */
const [LEFT, FAILED, BEFORE] = [100, 1_000, 100];

const keysOf = (
  { seq, keys }: RestartableCommand,
  past: PastHandler,
  from: number,
): readonly KeysBefore[] => {
  const failed: Record<string, string> = {};
  for (const { n, failed: name } of [...past.operations.values()].sort((a, b) => a.n - b.n))
    if (n >= from && name !== undefined && Object.keys(failed).length < FAILED) failed[n] = name;
  return [{ command: seq, after: past.last, failed }, ...keys].slice(0, BEFORE);
};

const leftOf = (past: PastHandler, from: number): Restarted['left'] =>
  [...past.operations.values()]
    .filter(({ n }) => n >= from)
    .sort((a, b) => a.n - b.n)
    .slice(0, LEFT)
    .map(({ n, what }) => ({ n, what }));

/**
 * Restarts commands: once each. A restart is a record, and the new command is the next one. Whether both are stored is
 * read from the log, so a broker that is killed in between stores the second at its next start.
 */
export class Restarter {
  /** Work under way by command: two requests for the same are one after the other. */
  readonly #busy = new Map<number, Promise<unknown>>();
  /** Their records may or may not be stored; what the log says is known after the next start. */
  readonly #uncertain = new Set<number>();

  constructor(private readonly options: RestarterOptions) {
    options.index.on('caughtUp', () => void this.#finish());
  }

  /** The index must have read the log up to its end. */
  restart(order: RestartOrder): Promise<E.Either<Fault, Restarted>> {
    return this.#alone(order.command.record.seq, () => this.#restart(order));
  }

  async #alone<T>(command: number, work: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(command);
    const working = (async () => {
      await before;
      return work();
    })();
    const settled = working.catch(() => undefined);
    this.#busy.set(command, settled);
    try {
      return await working;
    } finally {
      if (this.#busy.get(command) === settled) this.#busy.delete(command);
    }
  }

  async #restart({ command: named, from: wanted, by }: RestartOrder): Promise<E.Either<Fault, Restarted>> {
    const { seq } = named.record;
    const ended = await readEndedCommand(this.options, named);
    if (E.isLeft(ended)) return ended;
    const past = await readPastHandler(this.options, ended.right);
    if (E.isLeft(past)) return past;
    if (ended.right.isRefused && past.right.metAt === undefined) return E.left(hasResultThatCounts(seq));
    const number = operationNumber(seq, past.right, wanted);
    if (E.isLeft(number)) return number;
    const from = number.right;
    const said = (restart: number, newCommand: number, already: boolean): Restarted => ({
      ...{ command: seq, restart, newCommand, from, already, kept: from - 1 },
      left: leftOf(past.right, from),
    });
    const known = this.options.index.restarts.of(seq);
    if (known !== undefined) return this.#again(named.record, from, said);
    if (this.#uncertain.has(seq)) return unclear(seq);
    const redriven = await this.options.redrivenBy(seq);
    if (redriven.length > 0)
      return E.left(fault('DEAD_REDRIVEN', `${seq} was redriven as command ${redriven.join(', ')}`));
    const prefix = prefixOf(seq, past.right, from);
    if (E.isLeft(prefix)) return prefix;
    const body = {
      by,
      from,
      digests: [...prefix.right.digests],
      keys: keysOf(ended.right, past.right, from),
    };
    const restart = await this.#storeRestart(named, body, prefix.right);
    if (E.isLeft(restart)) return restart;
    const stored = await this.#storeCommand(named.record, restart.right);
    return E.isLeft(stored) ? stored : E.right(said(restart.right, stored.right, false));
  }

  /** A request for what was restarted before: the same reply, if it asks for the same. */
  async #again(
    record: StoredMessage,
    from: number,
    said: (restart: number, newCommand: number, already: boolean) => Restarted,
  ): Promise<E.Either<Fault, Restarted>> {
    const known = this.options.index.restarts.of(record.seq);
    if (known === undefined) return unclear(record.seq);
    const { restart, kept, command } = known;
    const keptCount = kept === '' ? 0 : kept.split(',').length;
    if (keptCount !== from - 1) {
      const as = command === 0 ? '' : ` as command ${command}`;
      const text = `command ${record.seq} was restarted before${as}, from ${keptCount + 1}, and not from ${from}`;
      return E.left(fault('RESTARTED', text));
    }
    if (command !== 0) return E.right(said(restart, command, true));
    const stored = await this.#storeCommand(record, restart);
    return E.isLeft(stored) ? stored : E.right(said(restart, stored.right, true));
  }

  async #storeRestart(
    { record, subject }: NamedCommand,
    body: Restart,
    { kept }: KeptPrefix,
  ): Promise<E.Either<Fault, number>> {
    failPoint('restart.storing');
    const headers = {
      [HEADER.cause]: String(record.seq),
      [HEADER.conversation]: String(conversationOf(record)),
      ...(kept.length === 0 ? {} : { [HEADER.kept]: keptOperations(kept) }),
    };
    return this.#store(record.seq, { subject: restartSubject(subject), data: encodeJson(body), headers });
  }

  async #storeCommand(record: StoredMessage, restart: number): Promise<E.Either<Fault, number>> {
    failPoint('restart.stored');
    const headers: Record<string, string> = {
      [HEADER.conversation]: String(conversationOf(record)),
      [HEADER.redrives]: String(record.seq),
      [HEADER.restart]: String(restart),
    };
    for (const name of KEPT) {
      const value = record.header(name);
      if (value !== undefined) headers[name] = value;
    }
    const stored = await this.#store(record.seq, { subject: record.subject, data: record.data, headers });
    failPoint('restart.sent');
    return stored;
  }

  async #store(command: number, draft: Parameters<Producer['append']>[0]): Promise<E.Either<Fault, number>> {
    if (this.#uncertain.has(command)) return unclear(command);
    // Not for the outbox: the next start reads from the log whether it is stored.
    const stored = await this.options.producer.append(draft, { keep: false })();
    if (E.isLeft(stored)) {
      if (stored.left.code === 'LOG_UNCERTAIN') this.#uncertain.add(command);
      return stored;
    }
    // The next request must find it.
    await this.options.index.reached(stored.right.seq);
    return E.right(stored.right.seq);
  }

  /** The broker before this one has stored restarts, and not their commands. */
  async #finish(): Promise<void> {
    const { nc, index, log } = this.options;
    for (const command of [...index.restarts.pending()]) {
      const stored = await this.#alone(command, async (): Promise<E.Either<Fault, number>> => {
        const known = index.restarts.of(command);
        if (known === undefined || known.command !== 0) return E.right(command);
        const found = await recordsAt({ nc, prefix: '$JS.API' }, [command])();
        if (E.isLeft(found)) return found;
        const [record] = found.right;
        const isCommand = record !== undefined && splitSubject(record.subject)?.kind === 'cmd';
        return isCommand ? this.#storeCommand(record, known.restart) : E.right(command);
      });
      if (E.isLeft(stored))
        log(`the restart of command ${command} is not finished: ${stored.left.code}: ${stored.left.message}`);
    }
  }
}

const unclear = (command: number): E.Either<Fault, never> =>
  E.left(
    fault(
      'LOG_UNCERTAIN',
      `whether an earlier request restarted ${command} is unknown until the broker starts again`,
    ),
  );
