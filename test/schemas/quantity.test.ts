import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Either, isLeft, isRight } from 'fp-ts/lib/Either.js';
import { parseLogBytes, startConfig } from '../../schemas/config.js';
import type { Fault } from '../../schemas/errors.js';
import { failure } from '../support/either.js';
import { parseBytes, parseDuration } from '../../schemas/quantity.js';
import { formatBytes } from '../../text/bytes.js';

const value = <T>(result: Either<Fault, T>): T => {
  assert.ok(isRight(result), JSON.stringify(result));
  return result.right;
};
const code = (result: Either<Fault, unknown>): string => {
  assert.ok(isLeft(result), JSON.stringify(result));
  return `${result.left.code} ${result.left.path ?? ''}`.trim();
};

describe('sizes', () => {
  test('every whole number of bytes is itself', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (n) => value(parseBytes(`${n}`)) === n));
  });

  test('no name that every object has is a unit', () => {
    for (const name of Object.getOwnPropertyNames(Object.prototype)) {
      const { message } = failure(parseBytes(`5${name}`));
      assert.match(message, /is not a size/);
    }
  });

  test('a unit multiplies, whatever its case', () => {
    const units = {
      B: 1,
      k: 1e3,
      kB: 1e3,
      MB: 1e6,
      G: 1e9,
      GB: 1e9,
      TB: 1e12,
      KiB: 2 ** 10,
      MiB: 2 ** 20,
      GiB: 2 ** 30,
    };
    const unit = fc.constantFrom(...Object.entries(units));
    fc.assert(
      fc.property(
        fc.nat(9_000),
        unit,
        fc.constantFrom('', ' '),
        fc.boolean(),
        (n, [name, size], gap, upper) => {
          const text = `${n}${gap}${upper ? name.toUpperCase() : name}`;
          assert.equal(value(parseBytes(text)), n * size);
        },
      ),
    );
    assert.equal(value(parseBytes('1.5GiB')), 1.5 * 2 ** 30);
  });

  test('any text is a size or a typed fault, never a throw or a part of a number', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const result = parseBytes(text);
        assert.ok(isLeft(result) ? result.left.code === 'USAGE' : Number.isSafeInteger(result.right));
      }),
    );
    for (const bad of ['', 'GB', '-1', '1e9', '1,5GB', '10 G B', '99999999TB', 'Infinity', '0x10']) {
      assert.equal(code(parseBytes(bad)), 'USAGE', bad);
    }
  });

  test('what is written for people reads back to nearly the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (n) => {
        const back = value(parseBytes(formatBytes(n)));
        assert.ok(Math.abs(back - n) <= n * 0.06 + 1);
      }),
    );
    assert.deepEqual([0, 1023, 1024, 1536, 10 * 2 ** 30].map(formatBytes), [
      '0 B',
      '1023 B',
      '1 KiB',
      '1.5 KiB',
      '10 GiB',
    ]);
  });
});

describe('durations', () => {
  test('parts add up', () => {
    const part = fc.tuple(
      fc.nat(1_000),
      fc.constantFrom(['ms', 1], ['s', 1e3], ['m', 6e4], ['h', 36e5], ['d', 864e5]),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const text = parts.map(([n, [unit]]) => `${n}${unit}`).join('');
        assert.equal(
          value(parseDuration(text)),
          parts.reduce((sum, [n, [, ms]]) => sum + n * Number(ms), 0),
        );
      }),
    );
    assert.equal(value(parseDuration('1.5s')), 1_500);
  });

  test('what has no unit, or an unknown one, is refused', () => {
    for (const bad of ['', '5', '5 s', 's', '-5s', '5w', '5S', '1h30', '1e3s'])
      assert.equal(code(parseDuration(bad)), 'USAGE', bad);
    fc.assert(fc.property(fc.string(), (text) => isLeft(parseDuration(text)) || /[smhd]$/.test(text.trim())));
  });
});

describe('the configuration of a start', () => {
  test('what is left out has its default', () => {
    assert.deepEqual(value(startConfig({})), {
      dataDir: '.tallystick',
      natsPort: 4222,
      http: true,
      durability: 'fsync',
      onLogLoss: 'rebuild',
      modules: [],
      shipped: true,
      grant: false,
      trusted: [],
      inspected: [],
      limits: {},
      cage: 'auto',
      guest: 'call',
    });
  });

  test('guests get no connection to a server that other machines reach, unless the operator says so', () => {
    const levelOf = (natsUrl?: string, guest?: string): string =>
      value(startConfig({ natsUrl, guest })).guest;
    for (const host of ['127.0.0.1', '127.8.0.1', 'localhost', '[::1]'])
      assert.equal(levelOf(`nats://${host}:4222`), 'call', host);
    for (const host of ['0.0.0.0', '10.0.0.7', 'broker.example', '127.0.0.1.example', '[::]', '127.1'])
      assert.equal(levelOf(`nats://${host}:4222`), 'off', host);
    assert.equal(levelOf('nats://10.0.0.7:4222', 'read'), 'read');
    assert.equal(code(startConfig({ guest: 'all' })), 'USAGE /guest');
  });

  test('text becomes numbers', () => {
    const config = value(
      startConfig({ natsPort: '0', maxBytes: '10GB', memoryLimitBytes: '512MiB', modules: ['./m'] }),
    );
    assert.deepEqual([config.natsPort, config.maxBytes, config.memoryLimitBytes], [0, 1e10, 512 * 2 ** 20]);
  });

  test('each wrong value is named by its place', () => {
    assert.equal(code(startConfig({ natsPort: '70000' })), 'USAGE /natsPort');
    assert.equal(code(startConfig({ natsPort: '' })), 'USAGE /natsPort');
    assert.equal(code(startConfig({ natsPort: 'http' })), 'USAGE /natsPort');
    assert.equal(code(startConfig({ durability: 'none' })), 'USAGE /durability');
    assert.equal(code(startConfig({ maxBytes: 'much' })), 'USAGE /maxBytes');
    assert.equal(code(startConfig({ maxBytes: '1kB' })), 'USAGE /maxBytes');
    assert.equal(code(startConfig({ memoryLimitBytes: 1 })), 'USAGE /memoryLimitBytes');
    assert.equal(code(startConfig({ natsUrl: 'not a url' })), 'USAGE /natsUrl');
    assert.equal(code(startConfig({ dataDir: '' })), 'USAGE /dataDir');
  });

  test('a size that is too small is refused with one that is taken, in units of the same kind', () => {
    const units = fc.constantFrom('', 'B', 'k', 'kB', 'KiB', 'M', 'MB', 'MiB', 'G', 'GiB');
    const size = fc.tuple(fc.nat({ max: 70 }), fc.nat({ max: 9 }), units);
    fc.assert(
      fc.property(size, fc.constantFrom('maxBytes', 'memoryLimitBytes'), ([n, tenth, unit], option) => {
        const text = `${n}.${tenth}${unit}`;
        const config = startConfig({ [option]: text });
        if (isRight(config)) return;
        const least = /is too small: give at least (\S+)/.exec(config.left.message)?.[1] ?? '';
        assert.ok(isRight(startConfig({ [option]: least })), config.left.message);
        assert.equal(/i/.test(least), /i/.test(unit), config.left.message);
      }),
      { numRuns: 500 },
    );
    assert.match(failure(startConfig({ maxBytes: '8MiB' })).message, /^"8MiB" .* at least 16MiB$/);
    assert.match(failure(parseLogBytes('8MB')).message, /^"8MB" .* at least 16\.8MB$/);
    assert.match(failure(parseLogBytes('8000')).message, /at least 16777216 \(16MiB\)$/);
  });

  test('no refusal has the words of the schema', () => {
    for (const wrong of [
      { natsPort: '70000' },
      { natsPort: '-1' },
      { maxConnections: '0' },
      { maxConnections: '8001' },
      { maxConnections: '1.5' },
      { durability: 'none' },
      { onLogLoss: 'shrug' },
      { natsUrl: 'http://h' },
      { trusted: ['a'] },
      { trusted: ['=UX'] },
    ]) {
      const { message } = failure(startConfig(wrong));
      assert.match(message, /^give /);
      assert.doesNotMatch(message, /configuration|must|pattern/);
    }
  });

  test('what contradicts itself is refused', () => {
    assert.equal(code(startConfig({ natsUrl: 'nats://h:4222', natsPort: 4222 })), 'USAGE /natsPort');
    assert.equal(
      code(startConfig({ natsUrl: 'nats://h:4222', memoryLimitBytes: '1GB' })),
      'USAGE /memoryLimitBytes',
    );
  });
});
