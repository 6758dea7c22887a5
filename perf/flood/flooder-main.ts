/** A guest that sends as fast as it is answered: the next request for each answer, whatever the answer says. */
import { connect } from 'nats';
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import { type FloodKind, type FloodName, FLOODS } from './kinds.js';

export interface Flooded {
  /** Requests that were answered in time, also with a no; and those that were not. */
  readonly answered: number;
  readonly failed: number;
}

export type FlooderQuestions = {
  readonly start: { readonly ask: FloodName; readonly answer: null };
  /** Sends no more, and waits for the last answers. */
  readonly stop: { readonly ask: null; readonly answer: Flooded };
};

const { url } = settingOf<{ readonly url: string }>();
const nc = await connect({ servers: url });
let [number, isOn] = [0, false];
let [answered, failed] = [0, 0];
let running: readonly Promise<void>[] = [];

const flood = async ({ send }: FloodKind): Promise<void> => {
  while (isOn) {
    try {
      await send(nc, ++number);
      answered += 1;
    } catch {
      failed += 1;
    }
  }
};

answerQuestions<FlooderQuestions>({
  start: (name) => {
    const kind: FloodKind = FLOODS[name];
    [isOn, answered, failed] = [true, 0, 0];
    running = Array.from({ length: kind.inFlight }, () => flood(kind));
    return null;
  },
  stop: async () => {
    isOn = false;
    await Promise.all(running);
    return { answered, failed };
  },
});
