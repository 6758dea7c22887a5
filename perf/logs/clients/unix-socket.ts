import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { framed } from '../../ipc/channels/framed.js';
import { eventually } from '../../peers/loopback-server.js';
import { type Handle, type RecordReader, type RecordWriter, timeIn } from './log-client.js';

/** The reply to the records of an append. */
const GOT = new Uint8Array(1);
/** Between the records of an append, which are one message. */
const BETWEEN = '\n';
const AFTER = Buffer.from(BETWEEN);
const decoder = new TextDecoder();

const socketTo = (path: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connectSocket(path, () => resolve(socket));
    socket.once('error', reject);
  });

/** Straight to the reader, which replies when it has handled them. Nothing is stored. */
export const openSocketWriter = async (path: string): Promise<RecordWriter> => {
  const socket = await eventually(() => socketTo(path));
  const channel = framed(socket, socket, () => socket.destroy());
  const waiting: (() => void)[] = [];
  channel.onMessage(() => waiting.shift()?.());
  return {
    append: async (records) => {
      const got = new Promise<void>((resolve) => waiting.push(resolve));
      await channel.send(
        Buffer.concat(records.flatMap((record, i) => (i === 0 ? [record] : [AFTER, record]))),
      );
      await got;
    },
    close: async () => channel.close(),
  };
};

export const openSocketReader = (path: string, handle: Handle): Promise<RecordReader> =>
  new Promise((resolve) => {
    const server = createServer((socket) => {
      const channel = framed(socket, socket, () => socket.destroy());
      channel.onMessage((records) => {
        for (const record of decoder.decode(records).split(BETWEEN)) handle(timeIn(record));
        void channel.send(GOT);
      });
    });
    server.listen(path, () => resolve({ close: async () => void server.close() }));
  });
