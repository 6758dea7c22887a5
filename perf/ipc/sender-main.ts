/** The process that sends. It starts the receiver, so that it can have its stdin and stdout. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import { type Times, timed } from '../bench/histogram.js';
import type { PidsByRole } from '../bench/processor-time.js';
import { type Channel, WANT, type ChannelWay } from './channels/channel.js';
import { openSender } from './channels/open-channel.js';

export interface MessagesAsked {
  readonly bytes: number;
  readonly messages: number;
}

export type SenderQuestions = {
  /** Sends as fast as the channel takes it; ends when the receiver has all. Messages a second. */
  readonly throughput: { readonly ask: MessagesAsked; readonly answer: number };
  /** One message at a time, there and back. */
  readonly roundTrips: { readonly ask: MessagesAsked; readonly answer: Times };
  readonly pids: { readonly ask: null; readonly answer: PidsByRole<string> };
};

const way = settingOf<ChannelWay>();
const main = fileURLToPath(new URL('./receiver-main.js', import.meta.url));
const receiver = spawn(process.execPath, [main, JSON.stringify(way)], { stdio: ['pipe', 'pipe', 'inherit'] });
receiver.once('exit', () => process.exit(1));
const { stdin, stdout } = receiver;
await once(stdout, 'readable');
stdout.read();

const channel: Channel = await openSender(way, { from: stdout, to: stdin });
let onReply: (message: Uint8Array) => void = () => undefined;
channel.onMessage((message) => onReply(message));

/** Random bytes: nothing on the way can make them smaller. */
const message = (want: number, bytes: number): Buffer => {
  const made = randomBytes(bytes);
  made[0] = want;
  return made;
};

const reply = (): Promise<string> =>
  new Promise((resolve) => {
    onReply = (bytes) => resolve(Buffer.from(bytes).toString('latin1'));
  });

const throughput = async ({ bytes, messages }: MessagesAsked): Promise<number> => {
  const [each, last] = [message(WANT.nothing, bytes), message(WANT.sign, bytes)];
  const signed = reply();
  const from = performance.now();
  for (let i = 1; i < messages; i++) {
    const room = channel.send(each);
    if (room !== undefined) await room;
  }
  await channel.send(last);
  const got = await signed;
  if (got !== String(messages)) throw new Error(`${got} of ${messages} messages came`);
  return (messages * 1_000) / (performance.now() - from);
};

const roundTrips = ({ bytes, messages }: MessagesAsked): Promise<Times> => {
  const asked = message(WANT.echo, bytes);
  return timed(messages, () => {
    const back = new Promise<void>((resolve) => {
      onReply = () => resolve();
    });
    void channel.send(asked);
    return back;
  });
};

answerQuestions<SenderQuestions>({
  throughput,
  roundTrips,
  pids: () => ({ sender: process.pid, receiver: receiver.pid as number }),
});
