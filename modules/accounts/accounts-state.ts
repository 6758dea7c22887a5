/** Money that has left a balance and is not known yet to have arrived. */
export interface OutgoingTransfer {
  readonly to: string;
  readonly amount: number;
}

export interface Account {
  /** What can be spent; in the smallest unit of the currency. */
  readonly balance: number;
  /** By the number of the transfer. What is settled is removed, so that an idle account stays small. */
  readonly outgoing: Readonly<Record<string, OutgoingTransfer>>;
}

export const EMPTY: Account = { balance: 0, outgoing: {} };

/** The largest amount of one command. */
export const MAX_AMOUNT = 1_000_000_000_000;

/** Above this, sums of integers are no longer exact. */
export const CEILING = Number.MAX_SAFE_INTEGER;

/** An account waits for at most this many transfers: each is part of its state, which every transfer copies. */
export const MAX_OUTGOING = 1_000;

/** The sum of what is on its way out. */
export const outgoingTotal = ({ outgoing }: Account): number =>
  Object.values(outgoing).reduce((sum, { amount }) => sum + amount, 0);

/**
 * How much the account can still take in. What is on its way out counts as if it were here, since it may come back at
 * any time, and coming back must never be what fails.
 */
export const room = (account: Account): number => CEILING - account.balance - outgoingTotal(account);

export const transferOf = ({ outgoing }: Account, transfer: number): OutgoingTransfer | undefined =>
  outgoing[String(transfer)];

export const withOutgoing = (
  account: Account,
  transfer: number,
  { to, amount }: OutgoingTransfer,
): Account => ({
  balance: account.balance - amount,
  outgoing: { ...account.outgoing, [String(transfer)]: { to, amount } },
});

/** The account without that transfer, and with what came back of it. */
export const withoutOutgoing = (account: Account, transfer: number, returned: number): Account => {
  const { [String(transfer)]: _settled, ...outgoing } = account.outgoing;
  return { balance: account.balance + returned, outgoing };
};
