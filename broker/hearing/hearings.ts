import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import { whileLinked } from '../../link/linked-request.js';
import { LOG } from '../../schemas/log.js';
import type { StoredMessage } from '../../schemas/record.js';
import { ChainLengths } from './chain-lengths.js';
import { Circles } from './circles.js';
import { Hearing, type HearingOptions } from './hearing.js';

/** How long the start of a module waits until the log says what it listens to. */
const SETTLE_MS = 20_000;

const recordAt = async (
  { nc, jsm }: Pick<HearingOptions, 'nc' | 'jsm'>,
  seq: number,
): Promise<Pick<StoredMessage, 'header'> | undefined> => {
  const found = await whileLinked(nc, () => jsm.streams.getMessage(LOG, { seq }));
  return found === null ? undefined : { header: (name) => found.header.get(name) || undefined };
};

/** All modules that listen to events of others. */
export class Hearings {
  readonly #byName = new Map<string, Hearing>();
  #isStarted = false;
  #isClosed = false;

  readonly #circles = new Circles();
  readonly #chains: ChainLengths;
  readonly #options: HearingOptions;

  constructor(options: Omit<HearingOptions, 'chainOf' | 'noteChain'>) {
    this.#chains = new ChainLengths((seq) => recordAt(options, seq));
    this.#options = {
      ...options,
      chainOf: (listener, event) => this.#chainOf(listener, event),
      noteChain: (command, length) => this.#chains.note(command, length),
    };
  }

  /** The log has been read up to where it stood. */
  start(): void {
    this.#isStarted = true;
    for (const hearing of this.#byName.values()) hearing.start();
  }

  /** A module is about to run by this manifest. */
  learn(manifest: Manifest): void {
    if (this.#isClosed) return;
    this.#circles.learn(manifest);
    const known = this.#byName.get(manifest.name);
    if (known !== undefined) return known.changed(manifest);
    const hearing = new Hearing(manifest, this.#options);
    this.#byName.set(manifest.name, hearing);
    if (this.#isStarted) hearing.start();
  }

  /** Waits until the log says what a module listens to, so that it hears what happens from then on. */
  settled(name: string): TaskEither<Fault, void> {
    return async () => {
      const hearing = this.#byName.get(name);
      if (hearing === undefined) return E.right(undefined);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<E.Either<Fault, void>>((resolve) => {
        const text = `the log did not take what ${name} listens to within ${SETTLE_MS / 1_000} s`;
        timer = setTimeout(() => resolve(E.left(fault('LOG_UNAVAILABLE', text))), SETTLE_MS);
      });
      const outcome = await Promise.race([hearing.settled(), late]);
      clearTimeout(timer);
      return outcome;
    };
  }

  /** A module is removed: it listens to nothing any more. */
  removed(manifest: Manifest): TaskEither<Fault, void> {
    return async () => {
      this.#circles.forget(manifest.name);
      const hearing = this.#byName.get(manifest.name);
      if (hearing === undefined) return E.right(undefined);
      const { on: _, ...silent } = manifest;
      hearing.changed(silent);
      const settled = await this.settled(manifest.name)();
      if (E.isLeft(settled)) return settled;
      this.#byName.delete(manifest.name);
      await hearing.close();
      return settled;
    };
  }

  /** How many events in the log a module has not been brought yet; undefined: that is not known now. */
  async eventsWaiting(name: string): Promise<number | undefined> {
    return this.#byName.get(name)?.eventsWaiting();
  }

  #chainOf(listener: string, event: StoredMessage): Promise<number> | undefined {
    const [, publisher = ''] = event.subject.split('.', 2);
    if (!this.#circles.has(publisher, listener)) return undefined;
    return this.#chains.of(event).then((length) => length + 1);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#byName.values()].map((hearing) => hearing.close()));
  }
}
