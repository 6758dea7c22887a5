import { defineModule, ok, reject, Type } from 'tallystick';

const Amount = Type.Object({ amount: Type.Integer({ minimum: 1 }) });
const Balance = Type.Object({ balance: Type.Integer() });

export default defineModule({
  name: 'payments',
  version: '1.0.0',
  description: 'Keeps the money of customers.',
  state: { balance: 0 },
  events: {
    paid_in: { data: Amount, evolve: ({ balance }, { amount }) => ({ balance: balance + amount }) },
    charged: { data: Amount, evolve: ({ balance }, { amount }) => ({ balance: balance - amount }) },
  },
  actions: {
    pay_in: {
      input: Amount,
      output: Balance,
      decide: ({ balance }, { amount }) => ok({ balance: balance + amount }, { paid_in: { amount } }),
    },
    charge: {
      input: Amount,
      output: Balance,
      rejections: ['NOT_ENOUGH_MONEY'],
      decide: ({ balance }, { amount }) =>
        amount > balance
          ? reject('NOT_ENOUGH_MONEY', `${balance} of ${amount} are there`)
          : ok({ balance: balance - amount }, { charged: { amount } }),
    },
  },
});
