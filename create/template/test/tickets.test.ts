import { test } from 'node:test';
import { specification } from 'tallystick/testing';
import tickets from '../modules/tickets.ts';

const hamlet = specification(tickets).agent('hamlet');

test('seats are sold while there are some', () => {
  hamlet.when('sell', { seats: 98 }).thenDecided({
    data: { left: 2 },
    events: [{ name: 'sold', data: { seats: 98 } }],
    state: { sold: 98 },
  });
});

test('a show is never oversold', () => {
  hamlet
    .given([{ name: 'sold', data: { seats: 98 } }])
    .when('sell', { seats: 3 })
    .thenRejected('SOLD_OUT');
});
