/** The thread of a {@link rawFlood}: sends for as long as it lives, and waits for nothing but room in its own sockets. */
import { connect, type Socket } from 'node:net';
import { workerData } from 'node:worker_threads';
import type { FloodPlan } from './raw-flood.js';

const MIB = 1024 * 1024;
const AGAIN_MS = 100;
const SUBSCRIPTION = 'SUB _INBOX.flood 1\r\n';

const { url, connections, sizes, subjects, isReading } = workerData as FloodPlan;
const { port, hostname } = new URL(url);
const begin = Buffer.from('{"amount":1');
const blanks = Buffer.alloc(MIB, ' ');
const end = Buffer.from('}\r\n');

/** JSON that an action takes, where the size has room for it. */
const payload = (size: number): readonly Buffer[] =>
  size < 12 ? [blanks.subarray(0, size), Buffer.from('\r\n')] : [begin, blanks.subarray(0, size - 12), end];

let number = 0;

const sendAll = (socket: Socket): void => {
  if (socket.destroyed) return;
  // In turns, so that each of the connections gets on.
  for (let turn = 0; turn < 16; turn++) {
    const size = sizes[number % sizes.length] as number;
    const subject = subjects[number % subjects.length] as string;
    number += 1;
    socket.cork();
    socket.write(`PUB ${subject} _INBOX.flood ${size}\r\n`);
    let hasRoom = true;
    for (const part of payload(size)) hasRoom = socket.write(part);
    socket.uncork();
    if (!hasRoom) return void socket.once('drain', () => sendAll(socket));
  }
  setImmediate(() => sendAll(socket));
};

const open = (): void => {
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  // Who is thrown out comes back.
  socket.on('close', () => setTimeout(open, AGAIN_MS));
  if (isReading) socket.resume();
  socket.write('CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n');
  socket.write(SUBSCRIPTION);
  sendAll(socket);
};

for (let i = 0; i < connections; i++) open();
