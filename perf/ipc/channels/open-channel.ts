import { connect as connectSocket, createServer, type Socket } from 'node:net';
import type { Channel, ChannelWay } from './channel.js';
import { openCoreNats } from './core-nats.js';
import { framed } from './framed.js';
import { openJournalReceiver, openJournalSender } from './journal.js';
import { openSharedMemory } from './shared-memory.js';

const overSocket = (socket: Socket): Channel => framed(socket, socket, () => socket.destroy());

/** The streams of the receiver's process, as its parent has them or as it has them itself. */
export interface Stdio {
  readonly from: NodeJS.ReadableStream;
  readonly to: NodeJS.WritableStream;
}

export const openSender = async (way: ChannelWay, { from, to }: Stdio): Promise<Channel> => {
  switch (way.via) {
    case 'pipe':
      return framed(from as Socket, to as Socket, () => undefined);
    case 'unix socket': {
      const socket = connectSocket(way.path);
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      });
      return overSocket(socket);
    }
    case 'shared memory':
      return openSharedMemory(way, 'sender');
    case 'core NATS':
      return openCoreNats(way.url, 'sender');
    case 'journal':
      return openJournalSender(way.url, way.durability);
  }
};

/** `use` gets the channel when the sender is there; the promise resolves when a sender can come. */
export const openReceiver = async (
  way: ChannelWay,
  { from, to }: Stdio,
  use: (channel: Channel) => void,
): Promise<void> => {
  switch (way.via) {
    case 'pipe':
      return use(framed(from as Socket, to as Socket, () => undefined));
    case 'unix socket': {
      const server = createServer((socket) => use(overSocket(socket)));
      return new Promise((resolve) => server.listen(way.path, resolve));
    }
    case 'shared memory':
      return use(openSharedMemory(way, 'receiver'));
    case 'core NATS':
      return use(await openCoreNats(way.url, 'receiver'));
    case 'journal':
      return use(await openJournalReceiver(way.url));
  }
};
