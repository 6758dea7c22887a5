import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type ActionName, type Decide as DecideOf, type Rejection, send } from '../sdk/index.js';
import { accountsManifest } from './accounts-manifest.js';
import { type Account, CEILING, MAX_OUTGOING, outgoingTotal, room, transferOf } from './accounts-state.js';

type AccountsDecide<A extends ActionName<typeof accountsManifest>> = DecideOf<
  typeof accountsManifest,
  Account,
  A
>;

const reject = (code: string, message: string, retryable = false): Either<Rejection, never> =>
  left({ code, message, retryable });

const insufficient = ({ balance }: Account, amount: number) =>
  reject('INSUFFICIENT_FUNDS', `the balance is ${balance}, ${amount - balance} short of ${amount}`);

export const deposit: AccountsDecide<'deposit'> = (account, { data: { amount } }) =>
  amount > room(account)
    ? reject(
        'LIMIT_EXCEEDED',
        `the balance is ${account.balance} and ${outgoingTotal(account)} may still come back; ` +
          `with ${amount} more the account would hold above ${CEILING}`,
      )
    : right({
        data: { balance: account.balance + amount },
        events: [{ name: 'deposited', data: { amount } }],
      });

export const withdraw: AccountsDecide<'withdraw'> = (account, { data: { amount } }) =>
  amount > account.balance
    ? insufficient(account, amount)
    : right({
        data: { balance: account.balance - amount },
        events: [{ name: 'withdrawn', data: { amount } }],
      });

/**
 * A transfer takes three commands. `transfer` takes the money out here and remembers it as outgoing; `credit` takes
 * it in there, or refuses; `settle` forgets it here, or puts it back. Each is a decision that carries the next
 * command, so whatever crashes in between, all three happen once. That is why `credit` refuses by a decision: a
 * rejection carries no command, and the money would stay on its way for ever.
 */
export const transfer: AccountsDecide<'transfer'> = (account, { agent, seq, data: { to, amount } }) => {
  if (to === agent) return reject('SAME_ACCOUNT', `${amount} from ${agent} to ${to} would move nothing`);
  if (amount > account.balance) return insufficient(account, amount);
  const pending = Object.keys(account.outgoing).length;
  if (pending >= MAX_OUTGOING) {
    return reject(
      'TRANSFERS_PENDING',
      `${pending} transfers of ${MAX_OUTGOING} allowed are on their way`,
      true,
    );
  }
  return right({
    data: { balance: account.balance - amount, transfer: seq },
    events: [{ name: 'transfer_started', data: { transfer: seq, to, amount } }],
    commands: [send(accountsManifest, 'credit', to, { from: agent, transfer: seq, amount })],
  });
};

export const credit: AccountsDecide<'credit'> = (account, { data }) => {
  const accepted = data.amount <= room(account);
  return right({
    data: { accepted },
    events: accepted ? [{ name: 'credited', data }] : [],
    commands: [send(accountsManifest, 'settle', data.from, { transfer: data.transfer, accepted })],
  });
};

export const settleTransfer: AccountsDecide<'settle'> = (account, { data: { transfer, accepted } }) => {
  const outgoing = transferOf(account, transfer);
  if (outgoing === undefined) return reject('TRANSFER_UNKNOWN', `transfer ${transfer} is not on its way`);
  const data = { transfer, ...outgoing };
  return accepted
    ? right({ data: { balance: account.balance }, events: [{ name: 'transfer_settled', data }] })
    : right({
        data: { balance: account.balance + outgoing.amount },
        events: [{ name: 'transfer_returned', data }],
      });
};

export const balance: AccountsDecide<'balance'> = (account) =>
  right({ data: { balance: account.balance, outgoing: outgoingTotal(account) } });
