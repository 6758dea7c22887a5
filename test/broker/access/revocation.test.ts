import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { authenticatorOf, newUserKey, type UserKey } from '../../../link/nkey.js';
import { untilServed } from '../../../link/until-served.js';
import { ACCESS, type Principal } from '../../../schemas/access-requests.js';
import type { Fault } from '../../../schemas/errors.js';
import { byForm } from '../../support/form.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { connectOperator } from '../../support/log-checks.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

/** A reload of the server takes longer with more accounts. */
const PRINCIPALS = byForm({ short: 80, deep: 200 });

interface Reply {
  readonly status?: string;
  readonly error?: Fault;
}

/** The holder of a token who does all that it can, and connects again whenever its connection is closed. */
class Holder {
  readonly heard = new Set<string>();
  /** Agents of calls that had the result ok. */
  readonly did = new Set<string>();
  closes = 0;
  connects = 0;
  #isOver = false;
  #done: Promise<void> = Promise.resolve();

  constructor(
    private readonly url: string,
    private readonly seed: string,
  ) {}

  start(): void {
    this.#done = this.#run();
  }

  /** Ends it also where its test fails: it never ends by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      try {
        await this.#act();
      } catch {
        // The server does not let it in, or has closed the connection.
      }
    }
  }

  async #act(): Promise<void> {
    const authenticator = authenticatorOf(this.seed);
    const nc = await connect({ servers: this.url, authenticator, reconnect: false });
    this.connects += 1;
    let isOpen = true;
    const closed = nc.closed().then(() => {
      isOpen = false;
      this.closes += 1;
    });
    nc.subscribe('live.evt.accounts.>', {
      callback: (error, msg) => {
        if (error === null) this.heard.add(msg.subject.split('.').at(-1) ?? '');
      },
    });
    while (isOpen && !this.#isOver) {
      const agent = `evil-${this.closes}-${this.did.size}`;
      const reply = await Promise.race([
        nc
          .request(`call.accounts.deposit.${agent}`, '{"amount":1}', { timeout: 5_000 })
          .catch(() => undefined),
        closed,
      ]);
      if (reply !== undefined && reply.json<Reply>().status === 'ok') this.did.add(agent);
    }
    if (isOpen) await nc.close();
  }
}

describe(`revocation of a token, with ${PRINCIPALS} principals`, () => {
  const keys = new Map<string, UserKey>(
    Array.from({ length: PRINCIPALS }, (_, i) => [`p${i}`, newUserKey()]),
  );
  let broker: TestBroker;
  let dir: TempDir;
  let operator: NatsConnection;
  let guest: NatsConnection;

  before(async () => {
    dir = tempDir();
    const created = new Date().toISOString();
    const principals = [...keys].map(
      ([name, { publicKey }], i): Principal => ({
        name,
        account: `_${name}`,
        publicKey,
        allow: i === 3 ? ['operate admin'] : ['call accounts.*', 'send accounts.*', 'listen accounts.*'],
        created,
        expires: null,
        by: 'operator',
      }),
    );
    writeFileSync(join(dir.path, 'principals.json'), JSON.stringify({ version: 1, principals }));
    broker = await startBroker({
      dataDir: dir.path,
      shipped: ['accounts'],
      args: ['--durability', 'os'],
      readyWithinMs: 120_000,
    });
    operator = await connectOperator(broker.dataDir);
    guest = await connect({ servers: broker.url });
  });

  after(async () => {
    await Promise.all([operator?.close(), guest?.close()]);
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const seedOf = (name: string): string => keys.get(name)?.seed ?? '';
  const change = async (subject: string, body: object): Promise<Reply> =>
    (await operator.request(subject, JSON.stringify(body), { timeout: 60_000 })).json<Reply>();
  const deposit = async (agent: string): Promise<void> => {
    const subject = `call.accounts.deposit.${agent}`;
    // A revocation reloads the server, which says for some milliseconds that nobody serves calls.
    const reply = await untilServed(() => guest.request(subject, '{"amount":1}', { timeout: 60_000 }));
    assert.equal(reply.json<Reply>().status, 'ok');
  };

  /** Ends a token's rights, and tells what its holder did and heard from the close of its connection on. */
  const ended = async (name: string, end: () => Promise<unknown>): Promise<void> => {
    await using holder = new Holder(broker.url, seedOf(name));
    holder.start();
    await waitFor('the holder to act and to hear', async () => {
      await deposit('before');
      return holder.did.size > 0 && holder.heard.has('before') ? true : undefined;
    });
    const ending = end();
    let isEnded = false;
    void ending.finally(() => {
      isEnded = true;
    });
    await waitFor('its connection to be closed', () => (holder.closes > 0 ? true : undefined));
    // The server may still let the holder in again for a moment.
    for (let i = 0; i < 3 || !isEnded; i++) await deposit(`after-${i}-${name}`);
    await ending;
    await deposit(`late-${name}`);
    await deposit('before');
    await assert.rejects(
      connect({ servers: broker.url, authenticator: authenticatorOf(seedOf(name)), reconnect: false }),
      /Authorization Violation/i,
    );
    await holder[Symbol.asyncDispose]();
    const late = [...holder.heard].filter((agent) => agent.endsWith(`-${name}`));
    assert.deepEqual(late, [], `it connected ${holder.connects} times`);
    assert.deepEqual(
      [...holder.did].filter((agent) => !agent.startsWith('evil-0-')),
      [],
    );
  };

  it('I7 nothing is heard or done from the close of its connection on, although its holder connects again and again', () =>
    ended('p0', () => change(ACCESS.revoke, { name: 'p0' })));

  it('I7 a revocation does not wait for the changes that were asked for before it', async () => {
    const changes = Array.from({ length: 5 }, (_, i) =>
      change(ACCESS.change, { name: `p${10 + i}`, add: ['call orders.*'] }),
    );
    await ended('p1', async () => {
      await change(ACCESS.revoke, { name: 'p1' });
      await Promise.all(changes);
    });
  });

  it('I7 a token that ends is cut off in the same way, and not before its end', async () => {
    let ends = 0;
    await ended('p2', async () => {
      const { principal } = (await change(ACCESS.change, { name: 'p2', ttlMs: 1_000 })) as {
        principal?: Principal;
      };
      ends = Date.parse(principal?.expires ?? '');
      await waitFor('the broker to say so', () =>
        broker.stderr.find((line) =>
          /the tokens of _p2 are over, and their connections are closed/.test(line),
        ),
      );
      assert.ok(Date.now() >= ends);
    });
  });

  it('I7 an admin that is revoked gives no token, although its request was sent before', async () => {
    const admin = await connect({
      servers: broker.url,
      authenticator: authenticatorOf(seedOf('p3')),
      reconnect: false,
    });
    const slow = Array.from({ length: 3 }, (_, i) =>
      change(ACCESS.change, { name: `p${20 + i}`, add: ['call orders.*'] }),
    );
    await operator.flush();
    const revoked = change(ACCESS.revoke, { name: 'p3' });
    await operator.flush();
    const { publicKey } = newUserKey();
    admin.publish(
      ACCESS.create,
      JSON.stringify({ name: 'heir', publicKey, allow: ['operate admin'], ttlMs: null }),
    );
    await Promise.all([...slow, revoked]);
    await admin.closed();
    const heir = await change(ACCESS.show, { name: 'heir' });
    assert.equal(heir.error?.code, 'PRINCIPAL_UNKNOWN');
  });
});
