import Type from 'typebox';
import { NAME_PATTERN } from '../../schemas/names.js';
import { defineManifest } from '../sdk/index.js';

/** Largest amount of one command. */
export const MAX_AMOUNT = 1_000_000_000_000;

const Strict = { additionalProperties: false } as const;
const Amount = Type.Integer({
  minimum: 1,
  maximum: MAX_AMOUNT,
  description: 'In the smallest unit of the currency.',
});
const Total = Type.Integer({ minimum: 0, description: 'In the smallest unit of the currency.' });
const Account = Type.String({ pattern: NAME_PATTERN, description: 'The agent that holds the account.' });
const Transfer = Type.Integer({ minimum: 1, description: 'Sequence of the transfer command: its number.' });

const Paid = Type.Object({ amount: Amount }, Strict);
const Balance = Type.Object({ balance: Total }, Strict);
const Incoming = Type.Object({ from: Account, transfer: Transfer, amount: Amount }, Strict);
const Outgoing = Type.Object({ transfer: Transfer, to: Account, amount: Amount }, Strict);

export const accountsManifest = defineManifest({
  name: 'accounts',
  version: '1.0.0',
  description:
    'Accounts that hold money: deposits, withdrawals, and transfers that neither make nor lose any.',
  actions: {
    deposit: { description: 'Puts money into the account.', input: Paid, output: Balance },
    withdraw: { description: 'Takes money out of the account.', input: Paid, output: Balance },
    transfer: {
      description:
        'Takes money out and sends it to another account; it comes back if it cannot be taken in there.',
      input: Type.Object({ to: Account, amount: Amount }, Strict),
      output: Type.Object({ balance: Total, transfer: Transfer }, Strict),
    },
    balance: {
      description: 'What is in the account, and what is on its way out of it.',
      input: Type.Object({}, Strict),
      output: Type.Object({ balance: Total, outgoing: Total }, Strict),
    },
    credit: {
      description:
        'Takes a transfer in, or refuses it; either way the answer goes back to its account as `settle`.',
      callers: 'self',
      input: Incoming,
      output: Type.Object({ accepted: Type.Boolean() }, Strict),
    },
    settle: {
      description: 'Ends a transfer: it has arrived, or its money comes back.',
      callers: 'self',
      input: Type.Object({ transfer: Transfer, accepted: Type.Boolean() }, Strict),
      output: Balance,
    },
  },
  events: {
    deposited: { data: Paid },
    withdrawn: { data: Paid },
    transfer_started: { description: 'The money has left the balance and is on its way.', data: Outgoing },
    credited: { description: 'The money of a transfer has arrived here.', data: Incoming },
    transfer_settled: { description: 'The money has arrived there.', data: Outgoing },
    transfer_returned: { description: 'It was refused there and is back in the balance.', data: Outgoing },
  },
  start: { entry: './index.js' },
});
