import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wantedAt } from '../../bin/completion/wanted.js';
import { buildProgram } from '../../bin/main.js';
import { commandPages } from './command-pages.js';

const program = await buildProgram([]);
const at = (...words: readonly string[]) => wantedAt(program, words);
const valuesAt = (...words: readonly string[]) => at(...words).candidates.map(({ value }) => value);

test('each command and each option of the program is completed', async () => {
  for (const { name, command } of await commandPages()) {
    const words = name.split(' ').filter(Boolean);
    if (words.length > 0) assert.ok(valuesAt(...words.slice(0, -1), '').includes(words.at(-1) ?? ''), name);
    const options = valuesAt(...words, '-');
    for (const { long } of command.options) assert.ok(options.includes(long ?? ''), `${name} ${long}`);
  }
});

test('each option with listed values offers them', async () => {
  let count = 0;
  for (const { name, command } of await commandPages())
    for (const { argChoices, long } of command.options) {
      if (argChoices === undefined) continue;
      count += 1;
      assert.deepEqual(valuesAt(...name.split(' '), long ?? '', ''), argChoices, `${name} ${long}`);
    }
  assert.ok(count >= 6, `${count} options have listed values`);
});

test('an argument asks for the names that it takes', () => {
  assert.equal(at('call', '').names, 'actions');
  assert.equal(at('module', 'reload', '').names, 'modules');
  assert.equal(at('replay', 'history', '--module', '').names, 'modules');
  assert.equal(at('replay', 'history', '--name', '').names, undefined);
  assert.equal(at('schedule', 'show', '').names, undefined);
  assert.equal(at('subscription', 'delete', '').names, 'subscriptions');
  assert.equal(at('subscription', 'delete', '--account', '').names, undefined);
  assert.equal(at('replay', 'rebuild', 'accounts', '').names, 'modules');
  for (const words of [
    ['connect', 'use'],
    ['connect', 'remove'],
    ['status', '--context'],
  ])
    assert.equal(at(...words, '').names, 'contexts', words.join(' '));
  assert.equal(at('connect', 'add', '').names, undefined);
});

test('an agent is asked of the module that stands before it', () => {
  assert.deepEqual(
    { ...at('agent', 'get', 'accounts', ''), candidates: [] },
    {
      candidates: [],
      names: 'agents',
      module: 'accounts',
      target: {},
    },
  );
  assert.equal(at('call', 'orders.place', '{}', '--agent', '').module, 'orders');
  assert.equal(at('replay', 'history', '--module', 'agents', '--agent', '').module, 'agents');
  assert.equal(at('replay', 'history', '--agent', '').module, undefined);
});

test('a key of a configuration is asked of the module that stands before it', () => {
  const { names, module } = at('config', 'set', 'mailer', '');
  assert.deepEqual([names, module], ['keys', 'mailer']);
  assert.equal(at('config', 'list', '').names, 'modules');
  assert.equal(at('config', 'set', 'mailer', 'host', '').names, undefined);
  // An option of that name is something else.
  assert.equal(at('call', 'accounts.deposit', '--key', '').names, undefined);
});

test('a path is left to the shell, and the words that name a broker are kept', () => {
  assert.equal(at('module', 'load', '').paths, 'files');
  assert.equal(at('start', '--data', '').paths, 'dirs');
  assert.deepEqual(at('module', 'info', '--data', './x', '').target, { data: './x' });
  assert.deepEqual(at('module', 'info', '--data=./x', '').target, { data: './x' });
});

test('bash makes three words of --kind=cmd, and the values are offered all the same', () => {
  assert.deepEqual(valuesAt('replay', 'history', '--kind', '=', 'c'), [
    'cmd',
    'res',
    'evt',
    'step',
    'wake',
    'cancel',
    'restart',
    'signal',
    'epoch',
  ]);
});

test('behind -- no word is an option, and a wrong word completes to nothing', () => {
  assert.deepEqual(valuesAt('call', '--', '-'), []);
  assert.deepEqual(valuesAt('nonsense', ''), []);
  assert.deepEqual(valuesAt('module', 'info', 'accounts', ''), []);
});
