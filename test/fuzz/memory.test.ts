import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { growth, ownMemory } from './memory.js';

const MiB = 1_024 * 1_024;

const samples = (count: number, bytes: (i: number) => number): readonly number[] =>
  Array.from({ length: count }, (_, i) => bytes(i));

const grown = (all: readonly number[]): number => {
  const { begin, end } = growth(all) ?? { begin: Number.NaN, end: Number.NaN };
  return end - begin;
};

describe('how memory goes in a run', () => {
  it('a start that takes memory and a collector that frees it now and then are no growth', () => {
    const sawtooth = samples(100, (i) => Math.min(i, 50) * 2 * MiB + (i % 7) * 30 * MiB);
    assert.ok(grown(sawtooth) <= 30 * MiB);
  });

  it('what is held for good is growth, also where a collector hides it', () => {
    const leak = samples(100, (i) => i * 4 * MiB + (i % 7) * 30 * MiB);
    assert.ok(grown(leak) > 64 * MiB);
    assert.ok(grown(samples(10, (i) => i * 40 * MiB)) > 64 * MiB);
  });

  it('of few samples nothing is said', () => {
    assert.equal(growth(samples(7, () => MiB)), undefined);
  });

  it('the memory of this process can be read', {
    skip: process.platform === 'linux' ? false : 'not on this machine: /proc',
  }, () => {
    const before = ownMemory(process.pid) ?? 0;
    const held = Buffer.alloc(64 * MiB, 1);
    assert.ok((ownMemory(process.pid) ?? 0) > before + 32 * MiB && held.length > 0);
  });
});
