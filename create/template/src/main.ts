import { connect, Refused } from 'tallystick';
import tickets from '../modules/tickets.ts';

await using tally = await connect();
const hamlet = tally.agent(tickets, 'hamlet');

try {
  const { left } = await hamlet.sell({ seats: 3 });
  console.log(`3 seats sold, ${left} are left`);
} catch (error) {
  if (error instanceof Refused && error.code === 'SOLD_OUT') console.log(error.message);
  else throw error;
}
