import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import { deliveryDraft } from '../../broker/hearing/delivery-draft.js';
import { Circles } from '../../broker/hearing/circles.js';
import type { Draft } from '../../journal/append/draft.js';
import { FaultError, type Fault } from '../../schemas/errors.js';
import { deliverer, eventIn } from '../../schemas/heard-events.js';
import { dueBy, type HeardStretch, nextHearing, stretchesAt } from '../../schemas/hearing-record.js';
import { type Manifest, takesAgent } from '../../schemas/manifest.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { causeOf, type StoredMessage } from '../../schemas/record.js';

interface MemoryListener {
  readonly manifest: Manifest;
  readonly stretches: readonly HeardStretch[];
  /** Sequence of the last event that it was brought, and of the command that did. */
  floor: number;
  behind: number;
}

/** Brings events to the modules that listen to them, as soon as they are stored. The log begins with the test. */
export class MemoryHearings {
  readonly #listening: readonly MemoryListener[];
  readonly #circles = new Circles();

  constructor(
    manifests: readonly Manifest[],
    private readonly store: (producer: string, draft: Draft) => Either<Fault, StoredMessage>,
    private readonly record: (seq: number) => StoredMessage | undefined,
  ) {
    for (const manifest of manifests) this.#circles.learn(manifest);
    this.#listening = manifests.flatMap((manifest) => {
      const { on = {} } = manifest;
      const stretches = nextHearing({ on, before: [], floor: 0, lastSeq: 0 });
      if (stretches === undefined) return [];
      const record = { listener: manifest.name, stretches };
      return [{ manifest, stretches: stretchesAt(record, 0), floor: 0, behind: 0 }];
    });
  }

  /** As the broker counts: undefined where there is no circle. */
  #chainOf(listener: string, event: StoredMessage): number | undefined {
    const [, publisher = ''] = event.subject.split('.', 2);
    if (!this.#circles.has(publisher, listener)) return undefined;
    let length = 0;
    for (let at: StoredMessage | undefined = event; at !== undefined; ) {
      const chain = parseSequence(at.header(HEADER.chain) ?? '');
      if (chain !== undefined) length = chain;
      const cause: number | undefined = chain === undefined ? causeOf(at) : undefined;
      at = cause === undefined ? undefined : this.record(cause);
    }
    return length + 1;
  }

  /** An event is in the log. */
  published(message: StoredMessage): void {
    const event = eventIn(message.subject);
    if (event === undefined) return;
    for (const listening of this.#listening) {
      const { manifest, stretches } = listening;
      const stretch = dueBy(stretches, event, message.seq);
      const action = stretch === undefined ? undefined : manifest.actions[stretch.action];
      if (stretch === undefined || action === undefined) continue;
      const chain = this.#chainOf(manifest.name, message);
      const draft = deliveryDraft(manifest.name, message, stretch, takesAgent(action), listening, chain);
      const stored = this.store(deliverer(manifest.name), draft);
      // A payload that does not fit is left out before.
      if (isLeft(stored)) throw new FaultError(stored.left);
      listening.floor = message.seq;
      listening.behind = stored.right.seq;
    }
  }
}
