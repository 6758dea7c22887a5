import { defineModule } from '../sdk/index.js';
import { balance, credit, deposit, settleTransfer, transfer, withdraw } from './accounts-deciders.js';
import { accountsManifest } from './accounts-manifest.js';
import { EMPTY, withOutgoing, withoutOutgoing } from './accounts-state.js';

export default defineModule({
  manifest: accountsManifest,
  initial: EMPTY,
  actions: {
    deposit: { decide: deposit },
    withdraw: { decide: withdraw },
    transfer: { decide: transfer },
    balance: { decide: balance },
    credit: { decide: credit },
    settle: { decide: settleTransfer },
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
