import type { NatsConnection } from 'nats';
import { isClientError } from '../../link/client-error.js';
import { linkState } from '../../link/link-state.js';
import { linkedRequest } from '../../link/linked-request.js';
import {
  type CallsReply,
  type ControlError,
  callsSubject,
  type StepReply,
  stepRequestSubject,
} from '../../schemas/control.js';
import { pause } from '../../system/async/pause.js';
import { Backoff } from '../../system/async/backoff.js';

const FIRST_WAIT_MS = 2_000;
const MAX_WAIT_MS = 30_000;
const PAUSE_MS = 100;

/** Asks the broker until it answers. */
export const askUntilAnswered = async <Reply extends object>(
  nc: NatsConnection,
  subject: string,
  body: object,
  isReply: (answer: Reply | ControlError) => answer is Reply,
): Promise<Reply> => {
  const link = linkState(nc);
  const waits = new Backoff(FIRST_WAIT_MS, MAX_WAIT_MS);
  // Nothing is decided before it is known.
  for (;;) {
    try {
      if (link.isUp) {
        const reply = await linkedRequest(nc, subject, JSON.stringify(body), { timeout: waits.nextMs });
        const answer = reply.json<Reply | ControlError>();
        if (isReply(answer)) return answer;
      }
    } catch (error) {
      // The broker is slow; else it or its server is away, which says nothing of how long an answer takes.
      if (isClientError(error, 'TimeoutError')) waits.take();
    }
    await pause(PAUSE_MS, { ref: false });
  }
};

/** What the log has of a command's handler: the highest number of a call or step, and its cancel. */
export const recordedCalls = (
  nc: NatsConnection,
  module: string,
  cause: number,
  from = 0,
): Promise<CallsReply> => {
  const isReply = (answer: CallsReply | ControlError): answer is CallsReply => 'calls' in answer;
  return askUntilAnswered(nc, callsSubject(module), { cause, from }, isReply);
};

/** What the log has of a command's handler at a number. */
export const recordedStep = (
  nc: NatsConnection,
  module: string,
  { cause, call }: { readonly cause: number; readonly call: number },
): Promise<StepReply> => {
  const isReply = (answer: StepReply | ControlError): answer is StepReply => !('error' in answer);
  return askUntilAnswered(nc, stepRequestSubject(module), { cause, call }, isReply);
};
