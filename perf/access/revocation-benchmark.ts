import { join } from 'node:path';
import { connect, type NatsConnection } from 'nats';
import { PRINCIPALS_FILE, writePrincipals } from '../../broker/access/principal-file.js';
import { authenticatorOf, newUserKey, type UserKey } from '../../link/nkey.js';
import { ACCESS } from '../../schemas/access-requests.js';
import { orThrow } from '../../system/lifetime.js';
import { startReaper } from '../../system/processes/reaper.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { percentile } from '../bench/percentiles.js';
import type { Report, Scenario } from '../bench/scenario.js';
import { connectOperator } from '../burst/connect-operator.js';
import { benchPrincipal } from '../bench/bench-principal.js';

const ROUNDS = 20;
/** The server reads the accounts of all principals again at each change. */
const PRINCIPALS = [12, 200];

interface Figures {
  readonly principals: number;
  /** From the request until the connection of the token is closed, milliseconds. */
  readonly closed: Float64Array;
  /** From the request until its reply. */
  readonly replied: Float64Array;
}

const revoke = async (
  operator: NatsConnection,
  url: string,
  name: string,
  { seed }: UserKey,
): Promise<readonly [closedMs: number, repliedMs: number]> => {
  const holder = await connect({ servers: url, authenticator: authenticatorOf(seed), reconnect: false });
  holder.subscribe('live.evt.accounts.>');
  await holder.flush();
  const asked = performance.now();
  const since = (): number => performance.now() - asked;
  const closed = holder.closed().then(since);
  const replied = operator.request(ACCESS.revoke, JSON.stringify({ name }), { timeout: 60_000 }).then(since);
  return Promise.all([closed, replied]);
};

const measure = async (principals: number, rounds: number, reaper: Reaper): Promise<Figures> => {
  await using dir = await makeBenchDir();
  const keys = Array.from({ length: principals + rounds }, () => newUserKey());
  const allow = ['call accounts.*', 'listen accounts.*'];
  const all = keys.map(({ publicKey }, i) => benchPrincipal(`p${i}`, publicKey, allow));
  orThrow(writePrincipals(join(dir.path, PRINCIPALS_FILE), all));
  await using broker = await startBenchBroker(dir.path, reaper);
  const operator = await connectOperator(dir.path);
  try {
    const all: (readonly [number, number])[] = [];
    for (let i = 0; i < rounds; i++) {
      all.push(await revoke(operator, broker.url, `p${i}`, keys[i] as UserKey));
    }
    const sorted = (which: 0 | 1): Float64Array => Float64Array.from(all, (each) => each[which]).sort();
    return { principals, closed: sorted(0), replied: sorted(1) };
  } finally {
    await operator.close();
  }
};

const text = (sorted: Float64Array): readonly string[] =>
  [percentile(sorted, 0.5), percentile(sorted, 1)].map((ms) => ms.toFixed(1));

export const revocation: Scenario = {
  name: 'revocation',
  summary:
    'the time from the request to revoke a token until its connection is closed, with 12 and 200 principals',
  run: async ({ rounds = ROUNDS, say }): Promise<Report> => {
    const reaper = startReaper();
    try {
      const found: Figures[] = [];
      for (const principals of PRINCIPALS) {
        say(`${principals} principals`);
        found.push(await measure(principals, rounds, reaper));
      }
      return {
        data: {
          revocation: found.map(({ principals, closed, replied }) => ({
            principals,
            closedMs: { p50: percentile(closed, 0.5), max: percentile(closed, 1) },
            repliedMs: { p50: percentile(replied, 0.5), max: percentile(replied, 1) },
          })),
        },
        tables: [
          {
            title: 'milliseconds from the request to revoke a token',
            heads: ['principals', 'closed p50', 'closed max', 'reply p50', 'reply max'],
            rows: found.map(({ principals, closed, replied }) => [
              String(principals),
              ...text(closed),
              ...text(replied),
            ]),
          },
        ],
      };
    } finally {
      await reaper.close();
    }
  },
};
