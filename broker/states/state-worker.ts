import { parentPort, workerData } from 'node:worker_threads';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import { type ModuleAgents, openAgents } from '../../store/snapshots/index.js';
import { stateFits, stateReply } from '../../store/snapshots/state-reply.js';
import { PositionWaits } from './position-waits.js';
import type { StateAnswer, StateQuestion, StateThreadData } from './state-messages.js';

/**
 * The thread that reads states for clients. A look-up touches a file: it may wait for the disk, for a module that
 * commits, or for a state of many megabytes. The broker's own thread, and so every call, must not wait with it.
 */

/** Below the five seconds that the stock command line waits for a reply. */
const WAIT_MS = 3_000;
/** Requests that wait for a sequence, of all clients together. */
const MOST_WAITS = 10_000;

const port = parentPort;
if (port === null) throw new Error('this is the program of a thread');
const { dataDir, maxBytes } = workerData as StateThreadData;
const agents = openAgents(dataDir);

const positionOf = (module: string): number => {
  try {
    return agents.module(module).position?.seq ?? 0;
  } catch {
    // The look-up that follows says why there are no states.
    return 0;
  }
};

const waits = new PositionWaits(positionOf);

const refuse = (problem: Fault): never => {
  throw new FaultError(problem);
};

const bodyOf = (from: ModuleAgents, { module, agent }: StateQuestion): Uint8Array<ArrayBuffer> => {
  const found = from.raw(agent);
  if (found === undefined) {
    const who = agent === '' ? `${module} itself` : `${agent} of ${module}`;
    return refuse(fault('AGENT_UNKNOWN', `nothing has happened to ${who}`));
  }
  const body = stateReply({ module, agent, found });
  const tooLarge = stateFits(found.state.length, body.length, maxBytes);
  return tooLarge === undefined ? body : refuse(tooLarge);
};

const reached = async ({ module, atLeast }: StateQuestion): Promise<void> => {
  if (atLeast === 0) return;
  if (waits.count >= MOST_WAITS) refuse(fault('OVERLOADED', `${MOST_WAITS} requests wait for states`));
  const at = await waits.wait(module, atLeast, WAIT_MS);
  if (at >= atLeast) return;
  // Why there are no snapshots says more than that they stand at 0.
  void agents.module(module).position;
  const text = `the states of ${module} stand at ${at} and did not reach ${atLeast} in ${WAIT_MS} ms`;
  refuse(fault('SNAPSHOTS_BEHIND', text));
};

const answer = async (question: StateQuestion): Promise<StateAnswer> => {
  const { id, module } = question;
  try {
    await reached(question);
    return { id, body: bodyOf(agents.module(module), question) };
  } catch (error) {
    return { id, fault: toFault(error) };
  }
};

port.on('message', (question: StateQuestion) => {
  void answer(question).then((said) => port.postMessage(said, 'body' in said ? [said.body.buffer] : []));
});
