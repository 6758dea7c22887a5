import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitMeanings } from '../../bin/output/exit-meanings.js';
import { EXIT } from '../../bin/output/exit.js';
import { commandPages } from './command-pages.js';

const pages = await commandPages();

/** The heads of a page's parts, in order. */
const partsOf = (help: string): readonly string[] =>
  [...help.matchAll(/^(Usage|Arguments|Options|Commands|Examples|Exit codes):/gm)].map(
    ([, part = '']) => part,
  );

test('every page of help has usage, arguments, options, commands, examples and exit codes, in this order', () => {
  for (const { name, command, help } of pages) {
    const expected = [
      'Usage',
      ...(command.registeredArguments.length > 0 ? ['Arguments'] : []),
      'Options',
      ...(command.commands.some((one) => one.name() !== 'complete') ? ['Commands'] : []),
      'Examples',
      ...(command.commands.length > 0 ? [] : ['Exit codes']),
    ];
    assert.deepEqual(partsOf(help), expected, name);
  }
});

test('every page describes its command, each argument and each option', () => {
  for (const { name, command } of pages) {
    assert.notEqual(command.description(), '', name);
    for (const argument of command.registeredArguments)
      assert.notEqual(argument.description, '', `${name} <${argument.name()}>`);
    for (const option of command.options) assert.notEqual(option.description, '', `${name} ${option.flags}`);
  }
});

test('every example begins with the command that it shows', () => {
  for (const { name, help } of pages) {
    const examples = help.slice(help.indexOf('\nExamples:')).split('\n').slice(2);
    assert.ok(
      examples.some((line) => line.includes(`tallystick ${name}`.trim())),
      name,
    );
  }
});

test('every command says what its exit codes mean, in lines that fit 80 columns', () => {
  for (const { name, help } of pages.filter((page) => page.command.commands.length === 0)) {
    const codes = help.slice(help.indexOf('\nExit codes:')).trim().split('\n').slice(1);
    assert.deepEqual(
      codes,
      (exitMeanings(name) ?? []).map(([code, meaning]) => `  ${code}  ${meaning}`),
      name,
    );
    assert.deepEqual(
      codes.map((line) => line.slice(0, 5)),
      Object.values(EXIT).map((code) => `  ${code}  `),
      name,
    );
    for (const line of codes) assert.ok(line.length <= 80, `${name}: ${line}`);
  }
});

test('no line of help is wider than the terminal, except examples and words that cannot be broken', async () => {
  for (const columns of [72, 100, 160]) {
    for (const { name, command } of await commandPages(columns)) {
      // Without the texts that a command adds behind its options.
      const lines = command.helpInformation().split('\n');
      const wide = lines.filter((line) => line.length > columns && !line.startsWith('Usage:'));
      assert.deepEqual(wide, [], `${name} at ${columns}`);
    }
  }
});
