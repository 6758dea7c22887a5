/** The process that calls: each message is the input of a durable call, and the round trip ends with its result. */
import { randomBytes } from 'node:crypto';
import { connect } from 'nats';
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import { timed } from '../bench/histogram.js';
import type { MessagesAsked, SenderQuestions } from './sender-main.js';

/** Calls that wait for their results at a time, and the agents that they are spread over. */
const IN_FLIGHT = 256;
const AGENTS = 1_000;
/** As much of the payload as `{"text":""}` is. */
const FRAME_BYTES = 11;
const TIMEOUT_MS = 60_000;

const { url } = settingOf<{ readonly url: string }>();
const nc = await connect({ servers: url });

/** Random text of so many bytes as the payload has, less the JSON around it. */
const payloadOf = (bytes: number): string =>
  JSON.stringify({
    text: randomBytes(bytes)
      .toString('base64')
      .slice(0, bytes - FRAME_BYTES),
  });

const call = async (i: number, payload: string): Promise<void> => {
  const reply = await nc.request(`call.ipc.take.a${i % AGENTS}`, payload, { timeout: TIMEOUT_MS });
  const text = reply.string();
  if (!text.startsWith('{"status":"ok"')) throw new Error(text.slice(0, 300));
};

const throughput = async ({ bytes, messages }: MessagesAsked): Promise<number> => {
  const payload = payloadOf(bytes);
  const from = performance.now();
  const lane = async (first: number): Promise<void> => {
    for (let i = first; i < messages; i += IN_FLIGHT) await call(i, payload);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => lane(i)));
  return (messages * 1_000) / (performance.now() - from);
};

answerQuestions<SenderQuestions>({
  throughput,
  roundTrips: ({ bytes, messages }) => {
    const payload = payloadOf(bytes);
    let i = 0;
    return timed(messages, () => call(i++, payload));
  },
  pids: () => ({ sender: process.pid }),
});
