import { connect, Refused } from 'tallystick';
import tickets from './modules/tickets.ts';

await using tally = await connect();
const hamlet = tally.agent(tickets, 'hamlet');

/** Forty people want three seats each, all at once. There are a hundred. */
const buyers = Array.from({ length: 40 }, () => hamlet.sell({ seats: 3 }));

let bought = 0;
let refused = 0;
for (const buyer of buyers) {
  try {
    await buyer;
    bought += 1;
  } catch (error) {
    if (!(error instanceof Refused && error.code === 'SOLD_OUT')) throw error;
    refused += 1;
  }
}
console.log(`${bought} people bought three seats, ${refused} were refused`);

const seen = await tally.state(tickets, 'hamlet');
console.log(`the log has ${seen?.state.sold} seats of hamlet as sold`);
