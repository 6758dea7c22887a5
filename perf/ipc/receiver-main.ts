/** The process that receives. Its parent is the sender: it ends when that closes its stdin. */
import { settingOf } from '../../system/processes/program.js';
import { type Channel, READY, WANT, type ChannelWay } from './channels/channel.js';
import { openReceiver } from './channels/open-channel.js';

const answer = (channel: Channel): void => {
  let got = 0;
  channel.onMessage((message) => {
    got += 1;
    if (message[0] === WANT.nothing) return;
    // The bytes belong to the channel: what is sent back is a copy, as of a program that makes a reply.
    if (message[0] === WANT.echo) void channel.send(Buffer.from(message));
    else {
      void channel.send(Buffer.from(String(got)));
      got = 0;
    }
  });
};

process.stdin.on('end', () => process.exit(0));
process.on('SIGINT', () => undefined);
const way = settingOf<ChannelWay>();
if (way.via === 'pipe') process.stdout.write(READY);
else process.stdin.resume();
await openReceiver(way, { from: process.stdin, to: process.stdout }, answer);
if (way.via !== 'pipe') process.stdout.write(READY);
