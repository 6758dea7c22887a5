import { NAME_PATTERN } from '../../schemas/names.js';
import { defineModule, ok, reject, send, Type } from '../sdk/index.js';
import {
  type Account,
  CEILING,
  EMPTY,
  MAX_AMOUNT,
  MAX_OUTGOING,
  outgoingTotal,
  room,
  transferOf,
  withOutgoing,
  withoutOutgoing,
} from './accounts-state.js';

const Strict = { additionalProperties: false } as const;
const Amount = Type.Integer({
  minimum: 1,
  maximum: MAX_AMOUNT,
  description: 'In the smallest unit of the currency.',
});
const Total = Type.Integer({ minimum: 0, description: 'In the smallest unit of the currency.' });
const Holder = Type.String({ pattern: NAME_PATTERN, description: 'The agent that holds the account.' });
const Transfer = Type.Integer({ minimum: 1, description: 'Sequence of the transfer command: its number.' });

const Paid = Type.Object({ amount: Amount }, Strict);
const Balance = Type.Object({ balance: Total }, Strict);
const Incoming = Type.Object({ from: Holder, transfer: Transfer, amount: Amount }, Strict);
const Outgoing = Type.Object({ transfer: Transfer, to: Holder, amount: Amount }, Strict);

const insufficient = ({ balance }: Account, amount: number) =>
  reject('INSUFFICIENT_FUNDS', `the balance is ${balance}, ${amount - balance} short of ${amount}`);

/**
 * A transfer takes three commands. `transfer` takes the money out here and remembers it as outgoing; `credit` takes
 * it in there, or refuses; `settle` forgets it here, or puts it back. Each is a decision that carries the next
 * command, so whatever crashes in between, all three happen once. That is why `credit` refuses by a decision: a
 * rejection carries no command, and the money would stay on its way for ever.
 */
export default defineModule({
  name: 'accounts',
  version: '1.0.0',
  description:
    'Accounts that hold money: deposits, withdrawals, and transfers that neither make nor lose any.',
  state: EMPTY,
  events: {
    deposited: {
      data: Paid,
      evolve: (account, { amount }) => ({ ...account, balance: account.balance + amount }),
    },
    withdrawn: {
      data: Paid,
      evolve: (account, { amount }) => ({ ...account, balance: account.balance - amount }),
    },
    transfer_started: {
      description: 'The money has left the balance and is on its way.',
      data: Outgoing,
      evolve: (account, { transfer, to, amount }) => withOutgoing(account, transfer, { to, amount }),
    },
    credited: {
      description: 'The money of a transfer has arrived here.',
      data: Incoming,
      evolve: (account, { amount }) => ({ ...account, balance: account.balance + amount }),
    },
    transfer_settled: {
      description: 'The money has arrived there.',
      data: Outgoing,
      evolve: (account, { transfer }) => withoutOutgoing(account, transfer, 0),
    },
    transfer_returned: {
      description: 'It was refused there and is back in the balance.',
      data: Outgoing,
      evolve: (account, { transfer, amount }) => withoutOutgoing(account, transfer, amount),
    },
  },
  actions: {
    deposit: {
      description: 'Puts money into the account.',
      input: Paid,
      output: Balance,
      rejections: ['LIMIT_EXCEEDED'],
      decide: (account, { amount }) =>
        amount > room(account)
          ? reject(
              'LIMIT_EXCEEDED',
              `the balance is ${account.balance} and ${outgoingTotal(account)} may still come back; ` +
                `with ${amount} more the account would hold above ${CEILING}`,
            )
          : ok({ balance: account.balance + amount }, { deposited: { amount } }),
    },
    withdraw: {
      description: 'Takes money out of the account.',
      input: Paid,
      output: Balance,
      rejections: ['INSUFFICIENT_FUNDS'],
      decide: (account, { amount }) =>
        amount > account.balance
          ? insufficient(account, amount)
          : ok({ balance: account.balance - amount }, { withdrawn: { amount } }),
    },
    transfer: {
      description:
        'Takes money out and sends it to another account; it comes back if it cannot be taken in there.',
      input: Type.Object({ to: Holder, amount: Amount }, Strict),
      output: Type.Object({ balance: Total, transfer: Transfer }, Strict),
      rejections: ['SAME_ACCOUNT', 'INSUFFICIENT_FUNDS', 'TRANSFERS_PENDING'],
      decide: (account, { to, amount }, { agent, seq, self }) => {
        if (to === agent)
          return reject('SAME_ACCOUNT', `${amount} from ${agent} to ${to} would move nothing`);
        if (amount > account.balance) return insufficient(account, amount);
        const pending = Object.keys(account.outgoing).length;
        if (pending >= MAX_OUTGOING) {
          const text = `${pending} transfers of ${MAX_OUTGOING} allowed are on their way`;
          return reject('TRANSFERS_PENDING', text, { retryable: true });
        }
        return ok(
          { balance: account.balance - amount, transfer: seq },
          { transfer_started: { transfer: seq, to, amount } },
          [send(self, 'credit', to, { from: agent, transfer: seq, amount })],
        );
      },
    },
    balance: {
      description: 'What is in the account, and what is on its way out of it.',
      input: Type.Object({}, Strict),
      output: Type.Object({ balance: Total, outgoing: Total }, Strict),
      decide: (account) => ok({ balance: account.balance, outgoing: outgoingTotal(account) }),
    },
    credit: {
      description:
        'Takes a transfer in, or refuses it; either way the answer goes back to its account as `settle`.',
      callers: 'self',
      input: Incoming,
      output: Type.Object({ accepted: Type.Boolean() }, Strict),
      decide: (account, incoming, { self }) => {
        const { from, transfer, amount } = incoming;
        const accepted = amount <= room(account);
        return ok({ accepted }, accepted ? { credited: incoming } : {}, [
          send(self, 'settle', from, { transfer, accepted }),
        ]);
      },
    },
    settle: {
      description: 'Ends a transfer: it has arrived, or its money comes back.',
      callers: 'self',
      input: Type.Object({ transfer: Transfer, accepted: Type.Boolean() }, Strict),
      output: Balance,
      rejections: ['TRANSFER_UNKNOWN'],
      decide: (account, { transfer, accepted }) => {
        const outgoing = transferOf(account, transfer);
        if (outgoing === undefined)
          return reject('TRANSFER_UNKNOWN', `transfer ${transfer} is not on its way`);
        const ended = { transfer, ...outgoing };
        return accepted
          ? ok({ balance: account.balance }, { transfer_settled: ended })
          : ok({ balance: account.balance + outgoing.amount }, { transfer_returned: ended });
      },
    },
  },
});
