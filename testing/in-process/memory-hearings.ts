import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import { deliveryDraft } from '../../broker/hearing/delivery-draft.js';
import type { Draft } from '../../journal/append/draft.js';
import { FaultError, type Fault } from '../../schemas/errors.js';
import { deliverer, eventIn } from '../../schemas/heard-events.js';
import { dueBy, type HeardStretch, nextHearing, stretchesAt } from '../../schemas/hearing-record.js';
import { type Manifest, takesAgent } from '../../schemas/manifest.js';
import type { StoredMessage } from '../../schemas/record.js';

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

  constructor(
    manifests: readonly Manifest[],
    private readonly store: (producer: string, draft: Draft) => Either<Fault, StoredMessage>,
  ) {
    this.#listening = manifests.flatMap((manifest) => {
      const { on = {} } = manifest;
      const stretches = nextHearing({ on, before: [], floor: 0, lastSeq: 0 });
      if (stretches === undefined) return [];
      const record = { listener: manifest.name, stretches };
      return [{ manifest, stretches: stretchesAt(record, 0), floor: 0, behind: 0 }];
    });
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
      const draft = deliveryDraft(manifest.name, message, stretch, takesAgent(action), listening);
      const stored = this.store(deliverer(manifest.name), draft);
      // A payload that does not fit is left out before.
      if (isLeft(stored)) throw new FaultError(stored.left);
      listening.floor = message.seq;
      listening.behind = stored.right.seq;
    }
  }
}
