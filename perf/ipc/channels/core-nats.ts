import { connect } from 'nats';
import type { Channel } from './channel.js';

/** So many bytes may be under way: a server cuts a reader off that has too much to come. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/** Core NATS has no backpressure, so the receiver tells how much it has got, as a program must. */
export const openCoreNats = async (url: string, end: 'sender' | 'receiver'): Promise<Channel> => {
  const nc = await connect({ servers: url });
  const [out, inward] = end === 'sender' ? ['ipc.there', 'ipc.back'] : ['ipc.back', 'ipc.there'];
  let sent = 0;
  let got = 0;
  let told = 0;
  let arrived = 0;
  let goOn: (() => void) | undefined;
  nc.subscribe(`${out}.got`, {
    callback: (_, message) => {
      arrived = Number(message.string());
      goOn?.();
    },
  });
  await nc.flush();
  return {
    send: (message) => {
      nc.publish(out, message);
      sent += message.length;
      if (sent - arrived < WINDOW_BYTES) return undefined;
      return new Promise((resolve) => {
        goOn = () => {
          if (sent - arrived >= WINDOW_BYTES) return;
          goOn = undefined;
          resolve();
        };
      });
    },
    onMessage: (handle) => {
      nc.subscribe(inward, {
        callback: (_, message) => {
          got += message.data.length;
          handle(message.data);
          if (got - told < WINDOW_BYTES / 4) return;
          told = got;
          nc.publish(`${inward}.got`, String(got));
        },
      });
    },
    close: () => nc.close(),
  };
};
