import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLeft } from 'fp-ts/lib/Either.js';
import { startConfig } from '../../schemas/config.js';
import { GUEST_LEVELS } from '../../schemas/guest.js';

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];
const BEYOND = ['0.0.0.0', '[::]', '10.1.2.3', 'broker.example', '[fe80::1]'];

type AddressName = 'listen' | 'httpListen';

/** The outcome of a start with these options: the code and its place, or where it listens and for which guests. */
const outcome = (
  name: AddressName,
  host: string,
  files: readonly string[],
  guest: string | undefined,
): string => {
  const has = (file: string): string | undefined => (files.includes(file) ? `${file}.pem` : undefined);
  const config = startConfig({
    [name]: `${host}:4443`,
    tlsCert: has('cert'),
    tlsKey: has('key'),
    tlsCa: has('ca'),
    guest,
  });
  if (isLeft(config)) return `${config.left.code} ${config.left.path}`;
  const { [name]: listen, guest: level } = config.right;
  return `${listen?.host}:${listen?.port} ${level}`;
};

for (const name of ['listen', 'httpListen'] as const)
  describe(`the address for other machines: ${name}`, () => {
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
              ? `${isBeyond ? 'LISTEN_UNSAFE' : 'USAGE'} /${name}`
              : `${bare}:4443 ${guest ?? 'off'}`;
            assert.equal(outcome(name, host, files, guest), expected, `${host} ${files} ${guest}`);
          }
        }
      }
    });

    it('is HOST:PORT', () => {
      const tls = { tlsCert: 'c', tlsKey: 'k' };
      for (const address of [
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
        const config = startConfig({ ...tls, [name]: address });
        assert.ok(isLeft(config) && config.left.code === 'USAGE' && config.left.path === `/${name}`, address);
      }
    });
  });

describe('the addresses for other machines', () => {
  const tls = { tlsCert: 'c', tlsKey: 'k' };

  it('a server elsewhere has its own address for NATS, and the broker one for HTTP', () => {
    const elsewhere = { ...tls, natsUrl: 'nats://h:1' };
    const config = startConfig({ ...elsewhere, listen: '0.0.0.0:1' });
    assert.ok(isLeft(config) && config.left.code === 'USAGE');
    assert.ok(!isLeft(startConfig({ ...elsewhere, httpListen: '0.0.0.0:1' })));
  });

  it('one for HTTP is refused if HTTP is off, and files of TLS without an address are too', () => {
    const off = startConfig({ ...tls, httpListen: '0.0.0.0:1', http: false });
    assert.ok(isLeft(off) && off.left.code === 'USAGE' && off.left.path === '/httpListen');
    for (const files of [{ tlsCert: 'c' }, { tlsKey: 'k' }, { tlsCa: 'a' }, tls])
      assert.ok(isLeft(startConfig(files)), JSON.stringify(files));
  });
});
