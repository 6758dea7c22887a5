import type { ReadRights, RightsNews, RightsQuestion } from '../../schemas/http-process.js';

/** The channel to the broker, which started this process. */
export interface BrokerChannel {
  readonly send: (question: RightsQuestion) => void;
  readonly onNews: (hear: (news: RightsNews) => void) => void;
}

type HearRights = (rights: ReadRights | null) => void;

/**
 * Asks the broker what principals may read, over the channel between the two processes. News come in the order in
 * which the broker sent them: what it says after a change is never followed by what it said before.
 */
export class AskedRights {
  readonly #open = new Map<number, HearRights>();
  #next = 1;

  constructor(
    private readonly channel: BrokerChannel,
    onForget: () => void,
  ) {
    channel.onNews((news) => {
      if (news.kind === 'forget') return onForget();
      this.#open.get(news.id)?.(news.rights);
      this.#open.delete(news.id);
    });
  }

  /** Calls back at once with the reply: nothing that comes after it is heard before. */
  ask(publicKey: string | null, module: string, settle: HearRights): void {
    const id = this.#next++;
    this.#open.set(id, settle);
    this.channel.send({ kind: 'rights', id, publicKey, module });
  }
}
