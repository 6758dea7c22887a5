import { connect } from 'nats';
import { encodeFound, type FoundState, MODULE } from './population.js';
import type { StateReader, StateWriter } from './store.js';

const SUBJECT = `state.${MODULE}`;
const TIMEOUT_MS = 30_000;

/** The states in the memory of the process that changes them, which answers requests for them. */
export const natsWriter = async (url: string): Promise<StateWriter> => {
  const nc = await connect({ servers: url });
  const states = new Map<string, string>();
  nc.subscribe(`${SUBJECT}.*`, {
    callback: (error, msg) => {
      if (error === null) msg.respond(states.get(msg.subject.slice(SUBJECT.length + 1)) ?? 'null');
    },
  });
  await nc.flush();
  return {
    put: (changes) => {
      for (const change of changes) states.set(change.agent, encodeFound(change));
    },
    close: () => nc.close(),
  };
};

export const natsReader = async (url: string): Promise<StateReader> => {
  const nc = await connect({ servers: url });
  return {
    get: {
      async: async (agent) => {
        const answer = await nc.request(`${SUBJECT}.${agent}`, '', { timeout: TIMEOUT_MS });
        return answer.json<FoundState | null>() ?? undefined;
      },
    },
    close: () => nc.close(),
  };
};
