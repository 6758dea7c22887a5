import { connect } from 'tallystick';
import orders from './modules/orders.ts';
import payments from './modules/payments.ts';
import stock from './modules/stock.ts';

await using tally = await connect();
const lamps = tally.agent(stock, 'lamp');
const anna = tally.agent(payments, 'anna');

await lamps.deliver({ count: 5 });
await anna.pay_in({ amount: 100 });

const place = async (order: string, count: number): Promise<void> => {
  const placed = await tally
    .agent(orders, order)
    .place.try({ customer: 'anna', article: 'lamp', count, price: 30 });
  const outcome = placed._tag === 'Right' ? `paid ${placed.right.paid}` : placed.left.message;
  console.log(`${order}, ${count} lamps: ${outcome}`);
};

await place('order-1', 2);
await place('order-2', 3);
await place('order-3', 9);

const free = await tally.state(stock, 'lamp');
const money = await tally.state(payments, 'anna');
console.log(`${free?.state.free} lamps are free, anna has ${money?.state.balance}`);
