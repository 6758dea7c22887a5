/**
 * A client that sends so many requests on a subject at once, and prints a line when the server has all of them. Then it
 * reads on until it is killed: what a test wants to see is what becomes of its requests.
 */
import { connect } from 'node:net';

const [url = '', subject = '', count = '', inbox = ''] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const socket = connect(Number(port), hostname);
const request = `PUB ${subject} ${inbox === '' ? '' : `${inbox} `}7\r\n{"n":1}\r\n`;

socket.write('CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n');
if (inbox !== '') socket.write(`SUB ${inbox} 1\r\n`);
for (let i = 0; i < Number(count); i++) socket.write(request);
socket.write('PING\r\n');

let tail = '';
let isSent = false;
socket.on('data', (chunk) => {
  if (isSent) return;
  tail = (tail + chunk.toString('latin1')).slice(-4_096);
  isSent = tail.includes('PONG\r\n');
  if (isSent) process.stdout.write('sent\n');
});
