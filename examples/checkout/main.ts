import timers from 'node:timers/promises';
import { connect, Refused } from 'tallystick';
import { startBank } from './card-server.ts';
import checkout from './modules/checkout.ts';
import stock from './modules/stock.ts';

await using bank = await startBank();
await using tally = await connect();
await tally.agent(stock, 'lamp').deliver({ count: 5 });

const buy = (order: string, count: number): Promise<{ seq: number }> =>
  tally.agent(checkout, order).buy.send({ article: 'lamp', count, price: 30 });

/** Until the card is charged, and the order waits for its confirmation. */
const isCharged = async (order: string): Promise<void> => {
  while (bank.charged(order) === 0) await timers.setTimeout(20);
};

const outcome = async (order: string, { seq }: { seq: number }): Promise<void> => {
  try {
    const { paid } = await tally.agent(checkout, order).buy.result(seq);
    console.log(`${order}: paid ${paid}`);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.log(`${order}: ${error.code}, ${bank.charged(order)} charged`);
  }
};

const first = await buy('order-1', 2);
await isCharged('order-1');
await tally.signal(checkout, 'order-1', 'confirmed');
await outcome('order-1', first);

const second = await buy('order-2', 2);
await isCharged('order-2');
await tally.cancel(second.seq);
await outcome('order-2', second);

await outcome('order-3', await buy('order-3', 9));

const free = await tally.state(stock, 'lamp');
console.log(`${free?.state.free} lamps are free`);
