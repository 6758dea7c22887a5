import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { connect as connectTally } from '../../../modules/client/open-tally.js';
import { accounts } from '../../../modules/package-modules.js';
import { Refused } from '../../../modules/sdk/refused.js';
import { GUEST_LEVELS, GUEST_TEXT, type GuestLevel } from '../../../schemas/guest.js';
import { startBroker, type TestBroker, tallystick } from '../../support/broker.js';
import { brokerStatus } from '../../support/broker-status.js';
import { natsCli } from '../../support/nats-cli.js';
import { Seeded } from '../../support/seeded.js';
import { attempt, type Ending, maySubscribe } from './attempts.js';

const seed = Number(process.env.GUEST_SEED ?? Date.now() % 1_000_000);
const random = new Seeded(seed);

const MODULES = ['accounts', 'nobody', 'orders'];
const NAMES = ['deposit', 'balance', 'acts', 'deposited'];
const AGENTS = ['alice', 'bob', 'x-1'];

/** What a client may ask for, by the level from which on a guest may. */
type Kind = 'discovery' | 'state' | 'call' | 'cmd' | 'schedule' | 'producer' | 'hear' | 'never';
const FROM: Readonly<Record<Kind, GuestLevel | 'never'>> = {
  discovery: 'read',
  state: 'read',
  call: 'call',
  cmd: 'call',
  schedule: 'call',
  producer: 'call',
  hear: 'call',
  never: 'never',
};

interface Asked {
  readonly kind: Kind;
  readonly subject: string;
  readonly body?: string;
}

const address = (): string =>
  [random.pick(MODULES), random.pick(NAMES), ...random.pick([[], [random.pick(AGENTS)]])].join('.');

const generated = (kind: Kind): Asked => {
  switch (kind) {
    case 'discovery':
      return {
        kind,
        subject: `$SRV.${random.pick(['PING', 'INFO', 'STATS'])}${random.pick(['', '.accounts'])}`,
      };
    case 'state':
      return {
        kind,
        subject: `state.${random.pick(MODULES)}${random.pick(['', `.${random.pick(AGENTS)}`])}`,
      };
    case 'producer':
      return {
        kind,
        subject: `producer.${random.pick(['open', 'fence', 'stored'])}`,
        body: JSON.stringify({ name: random.pick(AGENTS) }),
      };
    case 'hear':
      return { kind, subject: `live.${random.pick(['>', 'evt.>', `cmd.${random.pick(MODULES)}.>`])}` };
    case 'never':
      return { kind, subject: random.pick(NEVER) };
    default:
      return { kind, subject: `${kind}.${address()}`, body: '{"amount":1}' };
  }
};

const NEVER = [
  'ops.status',
  'ops.module.load',
  'access.list',
  'evt.accounts.deposited.alice',
  'res.accounts.deposit.alice',
  'epoch.accounts',
  'ctl.accounts.start',
  '$JS.API.STREAM.INFO.LOG',
  '$JS.API.STREAM.MSG.GET.LOG',
  'consumer.next.LOG.x.y.1',
  '$SYS.REQ.SERVER.PING',
  'ask.accounts.deposit.alice.operator',
  'send.accounts.deposit.alice.operator',
  'state.accounts.alice.operator',
  'result.1.operator',
  'discover.PING.operator',
];

const isAllowed = (level: GuestLevel, kind: Kind): boolean => {
  const from = FROM[kind];
  return from !== 'never' && GUEST_LEVELS.indexOf(level) >= GUEST_LEVELS.indexOf(from);
};

const answered: ReadonlySet<Ending> = new Set(['served', 'error']);

const open = (url: string): Promise<NatsConnection> => connect({ servers: url, reconnect: false });

for (const level of ['read', 'call'] as const) {
  describe(`a broker with --guest ${level}`, () => {
    let broker: TestBroker;
    let nc: NatsConnection;

    before(async () => {
      broker = await startBroker({ shipped: ['accounts'], args: ['--durability', 'os', '--guest', level] });
      nc = await open(broker.url);
    });

    after(async () => {
      await nc?.close();
      await broker?.[Symbol.asyncDispose]();
    });

    it(`I7 lets a guest do exactly what the level says (seed ${seed})`, async () => {
      for (const kind of Object.keys(FROM) as Kind[]) {
        for (let i = 0; i < 12; i++) {
          const { subject, body } = generated(kind);
          const allowed = isAllowed(level, kind);
          if (kind === 'hear') {
            assert.equal(await maySubscribe(nc, subject), allowed, subject);
            continue;
          }
          const ending = await attempt(nc, subject, body);
          if (allowed) assert.ok(answered.has(ending), `${subject}: ${ending}`);
          else assert.equal(ending, 'forbidden', subject);
        }
      }
    });

    it('says so in status and doctor', async () => {
      assert.equal((await brokerStatus(broker.dataDir)).guest, level);
      const { stdout } = await tallystick(['status'], { dataDir: broker.dataDir });
      assert.ok(stdout.includes(`guest   ${level}: ${GUEST_TEXT[level].slice(0, 40)}`), stdout);
      const doctor = await tallystick(['doctor'], { dataDir: broker.dataDir });
      assert.match(doctor.stdout, new RegExp(`guest +${level}: `));
    });

    if (level === 'read') {
      it('refuses a call, a command and a schedule of the command line and the SDK with what to type', async () => {
        const typed =
          /NOT_ALLOWED: .*no token.*token create NAME --allow '(call|schedule) accounts\.deposit\.bob'/;
        const body = ['accounts.deposit', '{"amount":1}', '--agent', 'bob', '--server', broker.url];
        for (const more of [[], ['--in', '1h']]) {
          const { code, stderr } = await tallystick(['call', ...body, ...more]);
          assert.equal(code, 1, stderr);
          assert.match(stderr, typed);
        }
        await using tally = await connectTally({ server: broker.url });
        const refused = await tally
          .agent(accounts, 'bob')
          .deposit.send({ amount: 1 })
          .catch((thrown: unknown) => thrown);
        assert.ok(refused instanceof Refused);
        assert.equal(refused.code, 'NOT_ALLOWED');
        assert.match(refused.message, /token create NAME --allow 'send accounts\.deposit\.bob'/);
      });
    }
  });
}

describe('a broker with --guest off', () => {
  let broker: TestBroker;

  before(async () => {
    broker = await startBroker({ shipped: ['accounts'], args: ['--durability', 'os', '--guest', 'off'] });
  });

  after(() => broker?.[Symbol.asyncDispose]());

  it('refuses the connection of a client without a credential, by nats, the SDK and the command line', async () => {
    await assert.rejects(open(broker.url), /Authorization Violation/i);
    await assert.rejects(
      connect({ servers: broker.url, user: 'guest', pass: 'guest', reconnect: false }),
      /Authorization Violation/i,
    );
    const stock = await natsCli(['req', 'state.accounts.alice', ''], { url: broker.url });
    assert.notEqual(stock.code, 0);
    assert.match(stock.stderr, /Authorization Violation/);
    const ours = await tallystick(['call', 'accounts.balance', '--agent', 'alice', '--server', broker.url]);
    assert.equal(ours.code, 3);
    assert.match(ours.stderr, /SERVER_REFUSED: .*lets in no client without a token.*token create/);
    await assert.rejects(connectTally({ server: broker.url }), /lets in no client without a token/);
  });

  it('lets the operator and a token in, and says so in status', async () => {
    const called = await tallystick(['call', 'accounts.deposit', '{"amount":1}', '--agent', 'alice'], {
      dataDir: broker.dataDir,
    });
    assert.equal(called.code, 0, called.stderr);
    const { stdout } = await tallystick(['status'], { dataDir: broker.dataDir });
    assert.match(stdout, /^guest +off: a client without a token gets no connection$/m);
  });
});
