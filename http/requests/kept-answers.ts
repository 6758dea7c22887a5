import type { ReadRights } from '../../schemas/http-process.js';
import type { RawAgentState } from '../../store/snapshots/index.js';
import { type NamedState, stateEnd, stateHead } from '../../store/snapshots/state-reply.js';

/** An answer with a state. */
export interface LocalAnswer {
  /** The bytes of the JSON, a character each: Node writes such a text without reading it. */
  readonly text: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
}

interface KeptLocalAnswer extends LocalAnswer {
  readonly found: RawAgentState;
  /** For whom it was made. */
  readonly rights: ReadRights;
}

const TYPE = ['content-type', 'application/json', 'content-length'] as const;

const bytesIn = (text: string): string => Buffer.from(text).toString('latin1');

export const localAnswer = (named: NamedState, sensitive: string): LocalAnswer => {
  const { buffer, byteOffset, length } = named.found.state;
  const state = Buffer.from(buffer, byteOffset, length).toString('latin1');
  const text = `${stateHead(named)}${state}${bytesIn(stateEnd(sensitive))}`;
  return { text, headers: [...TYPE, `${text.length}`] };
};

/** Of all modules; of more, all are forgotten. */
const MOST = 2_048;
const MOST_CHARACTERS = 8_192;

/** The last answers, by module and agent: agents that change seldom are read often. */
export class KeptAnswers {
  readonly #byModule = new Map<string, Map<string, KeptLocalAnswer>>();
  #size = 0;

  /** One that was made for other rights is none: they may show less. */
  find(module: string, agent: string, rights: ReadRights): KeptLocalAnswer | undefined {
    const kept = this.#byModule.get(module)?.get(agent);
    return kept?.rights === rights ? kept : undefined;
  }

  keep(module: string, agent: string, answer: KeptLocalAnswer): void {
    if (answer.text.length > MOST_CHARACTERS) return;
    if (this.#size >= MOST) {
      this.#byModule.clear();
      this.#size = 0;
    }
    let agents = this.#byModule.get(module);
    if (agents === undefined) {
      agents = new Map();
      this.#byModule.set(module, agents);
    }
    if (!agents.has(agent)) this.#size += 1;
    agents.set(agent, answer);
  }
}
