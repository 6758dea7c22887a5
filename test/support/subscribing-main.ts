/**
 * A program that subscribes: it writes the sequence of each event into a file, then asks for the next one. It ends when
 * it is killed, or with the code of the refusal on standard error.
 */
import { openSync, writeSync } from 'node:fs';
import { connect, type Tally } from '../../modules/client/index.js';
import { pause } from '../../system/async/pause.js';
import { shop } from './shop.js';

const [server = '', file = '', durable = ''] = process.argv.slice(2);
const handled = openSync(file, 'a');
/** The server may be away just now. */
const connected = async (): Promise<Tally> => {
  for (;;) {
    try {
      return await connect({ server });
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== 'BROKER_UNREACHABLE') throw thrown;
      await pause(50);
    }
  }
};

try {
  const tally = await connected();
  const events = tally.subscribe(shop, ['sold', 'refunded'], { durable, from: 'start' });
  for await (const { seq, agent } of events) writeSync(handled, `${seq} ${agent}\n`);
} catch (thrown) {
  process.stderr.write(`${(thrown as { code?: string }).code ?? String(thrown)}\n`);
  process.exit(1);
}
