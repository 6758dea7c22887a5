import { defineModule } from '../sdk/index.js';
import { balance, credit, deposit, settle, transfer, withdraw } from './accounts-deciders.js';
import { manifest } from './accounts-manifest.js';
import { EMPTY, withOutgoing, withoutOutgoing } from './accounts-state.js';

export default defineModule({
  manifest,
  initial: EMPTY,
  actions: {
    deposit: { decide: deposit },
    withdraw: { decide: withdraw },
    transfer: { decide: transfer },
    balance: { decide: balance },
    credit: { decide: credit },
    settle: { decide: settle },
  },
  evolve: {
    deposited: (account, { amount }) => ({ ...account, balance: account.balance + amount }),
    withdrawn: (account, { amount }) => ({ ...account, balance: account.balance - amount }),
    transfer_started: (account, { transfer, to, amount }) => withOutgoing(account, transfer, { to, amount }),
    credited: (account, { amount }) => ({ ...account, balance: account.balance + amount }),
    transfer_settled: (account, { transfer }) => withoutOutgoing(account, transfer, 0),
    transfer_returned: (account, { transfer, amount }) => withoutOutgoing(account, transfer, amount),
  },
});
