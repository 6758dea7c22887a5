import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLeft } from 'fp-ts/lib/Either.js';
import { startConfig } from '../../schemas/config.js';
import { GUEST_LEVELS } from '../../schemas/guest.js';

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];
const BEYOND = ['0.0.0.0', '[::]', '10.1.2.3', 'broker.example', '[fe80::1]'];

/** The outcome of a start with these options: the code and its place, or where it listens and for which guests. */
const outcome = (host: string, files: readonly string[], guest: string | undefined): string => {
  const has = (name: string): string | undefined => (files.includes(name) ? `${name}.pem` : undefined);
  const config = startConfig({
    listen: `${host}:4443`,
    tlsCert: has('cert'),
    tlsKey: has('key'),
    tlsCa: has('ca'),
    guest,
  });
  if (isLeft(config)) return `${config.left.code} ${config.left.path}`;
  const { listen, guest: level } = config.right;
  return `${listen?.host}:${listen?.port} ${level}`;
};

describe('the address for other machines', () => {
  it('is taken with TLS and without guests, and with guests on loopback alone: all combinations', () => {
    const sets = [[], ['cert'], ['key'], ['ca'], ['cert', 'key'], ['cert', 'ca'], ['cert', 'key', 'ca']];
    for (const host of [...LOOPBACK, ...BEYOND]) {
      const bare = host.replace(/[[\]]/g, '');
      const isBeyond = BEYOND.includes(host);
      for (const files of sets) {
        for (const guest of [undefined, ...GUEST_LEVELS]) {
          const isWhole = files.includes('cert') && files.includes('key');
          const isOpen = guest === 'read' || guest === 'call';
          const refused = isBeyond ? !isWhole || isOpen : !isWhole;
          const expected = refused
            ? `${isBeyond ? 'LISTEN_UNSAFE' : 'USAGE'} /listen`
            : `${bare}:4443 ${guest ?? 'off'}`;
          assert.equal(outcome(host, files, guest), expected, `${host} ${files} ${guest}`);
        }
      }
    }
  });

  it('is HOST:PORT', () => {
    const tls = { tlsCert: 'c', tlsKey: 'k' };
    for (const listen of [
      '',
      '4443',
      ':4443',
      'host',
      'host:',
      'host:70000',
      '::1:4443',
      'tls://host:1',
      'a b:1',
      '[::1]',
      'h:1:2',
    ]) {
      const config = startConfig({ ...tls, listen });
      assert.ok(isLeft(config) && config.left.code === 'USAGE' && config.left.path === '/listen', listen);
    }
    const elsewhere = startConfig({ ...tls, listen: '0.0.0.0:1', natsUrl: 'nats://h:1' });
    assert.ok(isLeft(elsewhere) && elsewhere.left.code === 'USAGE');
  });
});
