import { test } from 'node:test';
import { specification } from 'tallystick/testing';
import tickets from '../modules/tickets.ts';

const hamlet = specification(tickets).agent('hamlet');

test('the last two seats are sold', () => {
  hamlet
    .given([{ name: 'sold', data: { seats: 98 } }])
    .when('sell', { seats: 2 })
    .thenDecided({ data: { left: 0 }, events: [{ name: 'sold', data: { seats: 2 } }], state: { sold: 100 } });
});

test('a show is never oversold', () => {
  hamlet
    .given([{ name: 'sold', data: { seats: 98 } }])
    .when('sell', { seats: 3 })
    .thenRejected('SOLD_OUT');
});
