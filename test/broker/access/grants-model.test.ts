import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { errors, type NatsConnection } from 'nats';
import { newUserKey, type UserKey } from '../../../link/nkey.js';
import type { Principal } from '../../../schemas/access-requests.js';
import { type AskedRight, grantText, type Method, parseGrants } from '../../../schemas/grants.js';
import { byForm } from '../../support/form.js';
import { startBroker } from '../../support/broker.js';
import { success } from '../../support/either.js';
import { Seeded } from '../../support/seeded.js';
import { tempDir } from '../../support/temp-dir.js';
import { connectWith } from './attempts.js';

const PRINCIPALS = byForm({ short: 40, deep: 200 });
const REQUESTS = 12;
const seed = Number(process.env.GRANTS_SEED ?? Date.now() % 1_000_000);
const random = new Seeded(seed);

const MODULES = ['accounts', 'orders', 'nobody'];
const ACTIONS = ['acts', 'runs', 'acted'];
const AGENTS = ['shop-1', 'shop-2', 'shed', 'x'];
const PRODUCERS = ['sensor-1', 'sensor-2', 'meter'];
const ADDRESSED = ['call', 'send', 'schedule', 'listen'] as const satisfies readonly Method[];

/** A name with a part of it replaced by `*`, or as it is. */
const blurred = (name: string): string => {
  const at = random.int(0, name.length - 1);
  return random.pick([name, name, '*', `${name.slice(0, at)}*`, `*${name.slice(at)}`]);
};

const generatedGrant = (): string => {
  const method = random.pick([...ADDRESSED, ...ADDRESSED, 'read', 'produce', 'operate'] as const);
  if (method === 'read') {
    const parts = [MODULES, AGENTS].slice(0, random.int(1, 2)).map((names) => blurred(random.pick(names)));
    return `read ${parts.join('.')}`;
  }
  if (method === 'produce') return `produce ${blurred(random.pick(PRODUCERS))}`;
  if (method === 'operate') return `operate ${random.pick(['reader', 'keeper', 'admin'])}`;
  const part = (name: string): string => (method === 'listen' ? random.pick([name, '*']) : blurred(name));
  const parts = [MODULES, ACTIONS, AGENTS]
    .slice(0, random.int(1, 3))
    .map((names) => part(random.pick(names)));
  return `${method} ${parts.join('.')}`;
};

const generatedRequest = (): AskedRight => {
  const method = random.pick([...ADDRESSED, ...ADDRESSED, 'read', 'produce', 'operate'] as const);
  if (method === 'read') {
    const names = random.int(0, 3) === 0 ? [MODULES] : [MODULES, AGENTS];
    return { method, parts: names.map((each) => random.pick(each)) };
  }
  if (method === 'produce') return { method, parts: [random.pick(PRODUCERS)] };
  if (method === 'operate') return { method, parts: [random.pick(['reader', 'keeper', 'admin'])] };
  const names = random.int(0, 3) === 0 ? [MODULES, ACTIONS] : [MODULES, ACTIONS, AGENTS];
  return { method, parts: names.map((each) => random.pick(each)) };
};

/** The same question as the broker's, by text alone. */
const isGranted = (allow: readonly string[], { method, parts }: AskedRight): boolean =>
  allow.some((text) => {
    const [granted = '', pattern = ''] = text.split(' ');
    // Each role reads the log, so it may hear all of it, and read what follows from it.
    if (granted === 'operate' && (method === 'listen' || method === 'read')) return true;
    if (granted !== method) return false;
    const roles = ['reader', 'keeper', 'admin'];
    if (method === 'operate') return roles.indexOf(pattern) >= roles.indexOf(parts[0] ?? '');
    const expression = pattern.replaceAll('.', '[.]').replaceAll('*', '[^.]*');
    return new RegExp(`^${expression}([.].*)?$`).test(parts.join('.'));
  });

const OPERATIONS: Readonly<Record<string, readonly [subject: string, body: string]>> = {
  reader: ['ops.dead.list', '{"limit":1}'],
  keeper: ['ops.schedule.cancel', '{"id":"none"}'],
  admin: ['access.show', '{"name":"none"}'],
};

const sentFor = ({ method, parts }: AskedRight): readonly [subject: string, body: string] => {
  const address = parts.join('.');
  switch (method) {
    case 'call':
      return [`call.${address}`, '{}'];
    case 'send':
      return [`cmd.${address}`, '{}'];
    case 'schedule':
      return [`schedule.${address}`, '{}'];
    case 'read':
      return [`state.${address}`, ''];
    case 'produce':
      return ['producer.stored', JSON.stringify({ name: parts[0], epoch: 1, fromSeq: 1, toSeq: 1 })];
    case 'operate':
      return OPERATIONS[parts[0] ?? ''] ?? ['', ''];
    case 'listen':
      return [`live.evt.${address}`, ''];
  }
};

const isViolation = (thrown: unknown): boolean => {
  const cause = thrown instanceof errors.RequestError ? (thrown.cause ?? thrown) : thrown;
  if (cause instanceof errors.PermissionViolationError) return true;
  throw thrown;
};

/** Whether the server takes a subscription. It says no before it answers a flush. */
const mayListen = async (nc: NatsConnection, subject: string): Promise<boolean> => {
  let refused: unknown;
  const subscription = nc.subscribe(subject, {
    callback: (error) => {
      refused ??= error;
    },
  });
  await nc.flush();
  if (refused !== undefined && refused !== null) return !isViolation(refused);
  subscription.unsubscribe();
  return true;
};

const mayAsk = async (nc: NatsConnection, asked: AskedRight): Promise<boolean> => {
  const [subject, body] = sentFor(asked);
  if (asked.method === 'listen') return mayListen(nc, subject);
  try {
    const reply = await nc.request(subject, body, { timeout: 30_000 });
    const { error } = reply.json<{ error?: { code?: string } }>();
    return error?.code !== 'NOT_ALLOWED';
  } catch (thrown) {
    return !isViolation(thrown);
  }
};

interface Generated {
  readonly principal: Principal;
  readonly key: UserKey;
}

const generated = (i: number): Generated => {
  const key = newUserKey();
  const allow = Array.from({ length: random.int(1, 4) }, generatedGrant);
  const created = new Date().toISOString();
  const name = `p${i}`;
  const { publicKey } = key;
  return {
    key,
    principal: { name, account: `_${name}`, publicKey, allow, created, expires: null, by: 'operator' },
  };
};

it(`I7 ${PRINCIPALS} generated principals may do exactly what their grants say (seed ${seed})`, async () => {
  const all = Array.from({ length: PRINCIPALS }, (_, i) => generated(i));
  await using dir = tempDir();
  const principals = all.map(({ principal }) => principal);
  writeFileSync(join(dir.path, 'principals.json'), JSON.stringify({ version: 1, principals }));
  await using broker = await startBroker({
    dataDir: dir.path,
    shipped: ['accounts'],
    args: ['--durability', 'os'],
  });
  let allowed = 0;
  let refused = 0;
  for (const { principal, key } of all) {
    const { allow } = principal;
    const nc = await connectWith(broker.url, key.seed);
    try {
      // Half of the requests are near to what is granted, or hardly any would be allowed.
      const near = success(parseGrants(allow)).map(({ method, parts }) => ({
        method,
        parts: parts.map((part) => part.replaceAll('*', 'shop-1'.slice(0, random.int(1, 6)))),
      }));
      for (let i = 0; i < REQUESTS; i++) {
        const close = random.pick(near);
        const isWhole = close.parts.length >= 2 || ['read', 'produce', 'operate'].includes(close.method);
        const asked = random.int(0, 1) === 0 && isWhole ? close : generatedRequest();
        const expected = isGranted(allow, asked);
        const says = `${allow.join(', ')}: ${grantText(asked)}`;
        assert.equal(await mayAsk(nc, asked), expected, says);
        if (expected) allowed += 1;
        else refused += 1;
      }
    } finally {
      await nc.close();
    }
  }
  assert.ok(allowed > 200 && refused > 200, `${allowed} allowed, ${refused} refused`);
});
