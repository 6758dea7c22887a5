import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../support/project-root.js';
import { earlyUses } from './wiring.js';

const read = (file: string): string => readFileSync(join(PROJECT_ROOT, file), 'utf8');

describe('the wiring of the parts', () => {
  for (const file of [
    'broker/assemble.ts',
    'broker/start-in-order.ts',
    'test/journal/model/broker-side.ts',
  ]) {
    it(`${file} uses no part before the line that makes it`, () => {
      assert.deepEqual(earlyUses(read(file)), []);
    });
  }

  it('docs/internals/architecture.md has the parts in the order in which they are made', () => {
    const section =
      /^## How the parts of the broker know each other$([\s\S]*?)^## /m.exec(
        read('docs/internals/architecture.md'),
      )?.[1] ?? '';
    const parts = [...section.matchAll(/^\| `[^`]+` \(`(\w+)`\)/gm)].map(([, part = '']) => part);
    assert.ok(parts.length > 10);
    const made = [...read('broker/assemble.ts').matchAll(/= new (\w+)\(/g)].map(([, part = '']) => part);
    assert.deepEqual(
      made.filter((part) => parts.includes(part)),
      parts,
    );
  });
});

describe('the check of the wiring', () => {
  const body = (...lines: string[]): string => ['const f = () => {', ...lines, '};'].join('\n');

  it('finds a part that a closure uses before it is made', () => {
    const source = body('  const a = new A({ b: () => b });', '  const b = new B(a);');
    assert.deepEqual(earlyUses(source), [{ name: 'b', line: 2 }]);
  });

  it('finds it over several lines, and in a destructuring', () => {
    const source = body('  const a = new A(', '    () => c,', '  );', '  const { b, c } = new B(a);');
    assert.deepEqual(earlyUses(source), [{ name: 'c', line: 3 }]);
  });

  it('takes keys, properties, texts, comments and other functions for no use', () => {
    const source = [
      body('  const a = new A({ b: 1, c: x.b });', "  // b is later\n  say('b');", '  const b = new B(a);'),
      body('  return b;'),
    ].join('\n');
    assert.deepEqual(earlyUses(source), []);
  });
});
