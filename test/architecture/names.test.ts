import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../support/project-root.js';
import { sharedNames } from './names.js';
import { sourceFiles } from './source-files.js';

const inTwoFiles = (first: string, second: string): readonly string[] =>
  sharedNames([
    { path: 'journal/a.ts', text: first },
    { path: 'replay/b.ts', text: second },
  ]).map(({ name }) => name);

const product = sourceFiles(PROJECT_ROOT).filter(({ path }) => /^(?!test\/|build\/)\w+\/.*\.ts$/.test(path));

describe('one meaning for each name', () => {
  it('a name that two files export is reported', () => {
    assert.deepEqual(inTwoFiles('export interface Part {', 'export type Part = 1;'), ['Part']);
    assert.deepEqual(inTwoFiles('export const run = 1;', 'export async function run() {'), ['run']);
    assert.deepEqual(inTwoFiles('export abstract class Row {', 'export class Row {'), ['Row']);
  });

  it('a private type that has the name of an exported type is reported', () => {
    assert.deepEqual(inTwoFiles('export interface Part {', 'interface Part {'), ['Part']);
  });

  it('two private names, and a private constant, are not reported', () => {
    assert.deepEqual(inTwoFiles('interface Options {', 'interface Options {'), []);
    assert.deepEqual(inTwoFiles('export const text = 1;', 'const text = 2;'), []);
  });

  it('names inside functions, and overloads in one file, are not reported', () => {
    assert.deepEqual(inTwoFiles('export const at = 1;', '  const at = 2;'), []);
    assert.deepEqual(inTwoFiles('export function f(a: 1): 1;\nexport function f(a: 2): 2;', ''), []);
  });

  it('each exported name of the product is declared in one file', () => {
    assert.ok(product.length > 500);
    assert.deepEqual(sharedNames(product), []);
  });

  it('an exported name says limit, as the glossary does, and never bound', () => {
    const exported = product.flatMap(({ path, text }) =>
      [...text.matchAll(/^export (?:\w+ )+([A-Za-z_$][\w$]*)/gm)].map(([, name = '']) => `${path}: ${name}`),
    );
    assert.ok(exported.length > 1_000);
    assert.deepEqual(
      exported.filter((each) => /: .*Bounds?(?![a-z])|: .*BOUNDS?(?![A-Z])|: bounds?(?![a-z])/.test(each)),
      [],
    );
  });
});
