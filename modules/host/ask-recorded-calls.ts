import type { NatsConnection } from 'nats';
import { linkState } from '../../link/link-state.js';
import { linkedRequest } from '../../link/linked-request.js';
import { type CallsReply, type ControlError, callsSubject } from '../../schemas/control.js';
import { pause } from '../../system/async/pause.js';
import { Backoff } from '../../system/async/backoff.js';

const FIRST_WAIT_MS = 2_000;
const MAX_WAIT_MS = 30_000;
const PAUSE_MS = 100;

/** Asks the broker for the highest number of a call that the log has of a command's handler, until it answers. */
export const recordedCalls = async (nc: NatsConnection, module: string, cause: number): Promise<number> => {
  const link = linkState(nc);
  const waits = new Backoff(FIRST_WAIT_MS, MAX_WAIT_MS);
  for (;;) {
    try {
      if (link.isUp) {
        const reply = await linkedRequest(nc, callsSubject(module), JSON.stringify({ cause }), {
          timeout: waits.take(),
        });
        const answer = reply.json<CallsReply | ControlError>();
        if ('calls' in answer) return answer.calls;
      }
    } catch {
      // The broker or its server is away: nothing is decided before it is known.
    }
    await pause(PAUSE_MS, { ref: false });
  }
};
