import type { AccountUsage } from '../../schemas/account-usage.js';
import type { PrincipalUsages } from '../serving/principal-usage.js';

/** Where the numbers come from that are no requests. */
export interface UsageSources {
  readonly usages: PrincipalUsages;
  /** What the log has of each account. */
  readonly logged: {
    readonly names: () => Iterable<string>;
    readonly open: (account: string) => number;
    readonly bytes: (account: string) => number;
  };
  /** Schedules that will fire, by account. */
  readonly schedules: () => ReadonlyMap<string, number>;
  /** Open outside producers, by account. */
  readonly producers: () => ReadonlyMap<string, number>;
}

/** Accounts in one status. */
export const MOST_ACCOUNTS = 50;

const tenth = (value: number): number => Math.round(value * 10) / 10;

/** By what they do now, then by what they hold, then by what they have stored. */
const isLess = (a: AccountUsage, b: AccountUsage): number =>
  b.requestsPerSecond - a.requestsPerSecond ||
  b.bytesPerSecond - a.bytesPerSecond ||
  b.inFlight + b.open - (a.inFlight + a.open) ||
  b.logBytes - a.logBytes ||
  (a.account < b.account ? -1 : 1);

/** Who uses how much of the broker: the most active accounts first, and how many more there are. */
export const accountUsages = (
  { usages, logged, schedules, producers }: UsageSources,
  most = MOST_ACCOUNTS,
): { readonly accounts: readonly AccountUsage[]; readonly accountsLeftOut: number } => {
  const [scheduled, opened] = [schedules(), producers()];
  const names = new Set([
    ...usages.all().map(({ account }) => account),
    ...logged.names(),
    ...scheduled.keys(),
    ...opened.keys(),
  ]);
  const all = [...names].map((account): AccountUsage => {
    const usage = usages.known(account);
    const { requests, bytes } = usage?.recent ?? { requests: 0, bytes: 0 };
    return {
      account,
      requestsPerSecond: tenth(requests),
      bytesPerSecond: Math.round(bytes),
      inFlight: usage?.inFlight ?? 0,
      open: usage?.share.open ?? logged.open(account),
      schedules: scheduled.get(account) ?? 0,
      producers: opened.get(account) ?? 0,
      logBytes: usage?.share.bytes ?? logged.bytes(account),
      requests: usage?.requests ?? 0,
      refused: usage?.refused ?? 0,
    };
  });
  const accounts = all.sort(isLess).slice(0, most);
  return { accounts, accountsLeftOut: all.length - accounts.length };
};
