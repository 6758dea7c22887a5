import { parentPort, workerData } from 'node:worker_threads';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import { type ModuleAgents, openAgents } from '../../store/snapshots/index.js';
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
const encoder = new TextEncoder();

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

/** The state in the JSON that `agent get --json` prints. The state itself is passed on in its bytes. */
const bodyOf = (from: ModuleAgents, { module, agent }: StateQuestion): Uint8Array<ArrayBuffer> => {
  const found = from.raw(agent);
  if (found === undefined) {
    const who = agent === '' ? `${module} itself` : `${agent} of ${module}`;
    return refuse(fault('AGENT_UNKNOWN', `nothing has happened to ${who}`));
  }
  const { seq, time, schema, state } = found;
  const head = encoder.encode(
    `${JSON.stringify({ module, agent, seq, time, schema }).slice(0, -1)},"state":`,
  );
  const length = head.length + state.length + 1;
  if (length > maxBytes) {
    const advice = "read it on the broker's machine with `tallystick agent get`";
    refuse(
      fault(
        'ANSWER_TOO_LARGE',
        `the state has ${state.length} bytes, a reply at most ${maxBytes}; ${advice}`,
      ),
    );
  }
  const body = new Uint8Array(length);
  body.set(head);
  body.set(state, head.length);
  body[length - 1] = 0x7d;
  return body;
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
