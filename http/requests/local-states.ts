import { publicKeyOf } from '../../link/nkey.js';
import { allows } from '../../schemas/grants.js';
import type { ReadRights } from '../../schemas/http-process.js';
import { type Agents, openAgents } from '../../store/snapshots/index.js';
import type { AskedAgent } from './asked-agent.js';
import { AskedRights, type BrokerChannel } from './ask-rights.js';
import { KeptAnswers, type LocalAnswer, localAnswer } from './kept-answers.js';
import type { PrincipalLink, PrincipalLinks } from './principal-links.js';

/** A larger state is read by the broker, whose thread holds up no other request. */
const MOST_BYTES = 65_536;

/**
 * Reads states by memory map on the broker's machine, without a message. It finds what the broker would reply, or
 * nothing: then the broker must be asked, and it says why there is no state. Each principal may read what the broker
 * has said of it, as long as its connection is open and nothing has changed.
 */
export class LocalStates {
  readonly #asked: AskedRights;
  readonly #kept = new KeptAnswers();
  #agents: (Agents & { readonly dataDir: string }) | undefined;

  constructor(
    private readonly links: PrincipalLinks,
    channel: BrokerChannel,
  ) {
    this.#asked = new AskedRights(channel, () => links.forgetRights());
  }

  find(authorization: string | undefined, asked: AskedAgent): LocalAnswer | undefined {
    const { module, agent, atLeast } = asked;
    const rights = this.links.open(authorization)?.rights.get(module);
    if (rights === undefined || rights === null) return undefined;
    if (rights.untilMs !== null && rights.untilMs <= Date.now()) return undefined;
    const kept = this.#kept.find(module, agent, rights);
    if (kept === undefined && !allows(rights.grants, { method: 'read', parts: [module, agent] }))
      return undefined;
    try {
      const agents = this.#in(rights).module(module);
      if (atLeast > 0 && (agents.position?.seq ?? 0) < atLeast) return undefined;
      const found = agents.raw(agent, kept?.found);
      if (found === undefined || found.state.length > MOST_BYTES) return undefined;
      if (found === kept?.found) return kept;
      const answer = localAnswer({ module, agent, found }, rights.sensitive);
      if (answer.text.length > rights.maxBytes) return undefined;
      this.#kept.keep(module, agent, { ...answer, found, rights });
      return answer;
    } catch {
      return undefined;
    }
  }

  /** The broker has replied with a state of the module: from now on it may be read here, if the broker says so. */
  learn(authorization: string | undefined, module: string): void {
    const link = this.links.open(authorization);
    if (link === undefined || link.rights.has(module)) return;
    // One question at a time.
    link.rights.set(module, null);
    this.#asked.ask(keyOf(link), module, (rights) => link.rights.set(module, rights));
  }

  async close(): Promise<void> {
    const agents = this.#agents;
    this.#agents = undefined;
    await agents?.close();
  }

  #in({ dataDir }: ReadRights): Agents {
    if (this.#agents?.dataDir === dataDir) return this.#agents;
    this.#agents = { ...openAgents(dataDir), dataDir };
    return this.#agents;
  }
}

const keyOf = ({ seed }: PrincipalLink): string | null => (seed === '' ? null : publicKeyOf(seed));
