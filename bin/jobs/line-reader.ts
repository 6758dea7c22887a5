import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { ask } from '../../link/request-broker.js';
import type { Fault } from '../../schemas/errors.js';
import { type LinesPage, type LinesRequest, type LogLine, MAX_LINES_PAGE } from '../../schemas/log-lines.js';
import { OPS } from '../../schemas/operate.js';
import { pause } from '../../system/async/pause.js';
import type { CommandTarget } from '../connect/command-target.js';
import { openConnection } from '../connect/connect.js';

export type LineFilter = Pick<LinesRequest, 'module' | 'level' | 'since'>;

const FOLLOW_MS = 300;
const AGAIN_MS = 500;
const ASK_MS = 5_000;

/** A broker that is away may come back. */
const isAway = ({ code }: Fault): boolean => code === 'BROKER_UNREACHABLE' || code === 'SERVER_UNREACHABLE';
/** Refusals in a row while the broker starts again: its server may be there before its accounts are. */
const MOST_REFUSED = 20;

const count = (lines: number): string => `${lines} line${lines === 1 ? '' : 's'}`;

/** Reads the lines that a broker keeps, and outlives the broker: each start continues the numbers of the lines. */
export class LineReader {
  #nc: NatsConnection | undefined;
  #place = 0;
  /** Of each writer, the number of the last of its lines that was seen or passed over. */
  readonly #seen = new Map<string | null, number>();

  constructor(
    private readonly target: CommandTarget,
    private readonly filter: LineFilter,
    private readonly note: (text: string) => void,
  ) {}

  async close(): Promise<void> {
    const nc = this.#nc;
    this.#nc = undefined;
    await nc?.close();
  }

  /** The newest lines that match, in the order in which they were printed. Tells how many older ones are gone. */
  async newest(limit: number): Promise<Either<Fault, readonly LogLine[]>> {
    let found: readonly LogLine[] = [];
    let before: number | null | undefined;
    while (found.length < limit && before !== null) {
      const page = await this.#page({
        limit: Math.min(MAX_LINES_PAGE, limit - found.length),
        ...(before === undefined ? {} : { before }),
      });
      if (isLeft(page)) return page;
      const { lines, next, end, kept } = page.right;
      // Lines that come while older ones are read are followed from here.
      if (before === undefined) this.#reached(end, kept);
      if (next === null) this.#sayGone(kept);
      found = [...lines, ...found];
      before = next;
    }
    return right(found);
  }

  /** Further lines as they come. Ends with the first request that is refused. */
  async *follow(): AsyncGenerator<Either<Fault, LogLine>, void, void> {
    let refused = 0;
    for (let isLost = false; ; ) {
      const page = await this.#page({ after: this.#place });
      if (isLeft(page)) {
        refused = isAway(page.left) ? 0 : refused + 1;
        if (refused > (isLost ? MOST_REFUSED : 0)) return yield page;
        if (!isLost) this.note('the broker does not answer; its lines follow when it does');
        isLost = true;
        await this.close();
        await pause(AGAIN_MS);
        continue;
      }
      isLost = false;
      refused = 0;
      const { lines, next, isEnd, end, kept } = page.right;
      this.#sayMissed(kept);
      for (const line of lines) {
        this.#seen.set(line.source === line.module ? line.module : null, line.k);
        yield right(line);
      }
      if (isEnd) this.#reached(end, kept);
      else this.#place = next ?? end;
      if (isEnd) await pause(FOLLOW_MS);
    }
  }

  #reached(end: number, kept: LinesPage['kept']): void {
    this.#place = end;
    for (const { module, end: last } of kept) this.#seen.set(module, last);
  }

  #sayGone(kept: LinesPage['kept']): void {
    const gone = kept.reduce((sum, each) => sum + each.gone, 0);
    if (gone > 0) this.note(`${count(gone)} before these were printed, and are not kept any more`);
  }

  /** Lines that came, and were dropped before this reader asked. */
  #sayMissed(kept: LinesPage['kept']): void {
    for (const { module, gone } of kept) {
      const seen = this.#seen.get(module) ?? 0;
      if (gone <= seen) continue;
      this.note(`${count(gone - seen)} of ${module ?? 'the broker'} left out: they came too fast to be read`);
      this.#seen.set(module, gone);
    }
  }

  async #page(request: LinesRequest): Promise<Either<Fault, LinesPage>> {
    const nc = await this.#connection();
    return isLeft(nc) ? nc : ask<LinesPage>(nc.right, OPS.logs, { ...this.filter, ...request }, ASK_MS)();
  }

  async #connection(): Promise<Either<Fault, NatsConnection>> {
    if (this.#nc !== undefined) return right(this.#nc);
    const opened = await openConnection(this.target)();
    if (isLeft(opened)) return left(opened.left);
    this.#nc = opened.right;
    return opened;
  }
}
