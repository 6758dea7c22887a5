import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspectPortsOf } from '../../../broker/supervisor/inspect-ports.js';
import type { PlannedStart } from '../../../broker/supervisor/start-plan.js';
import { plain } from '../../fixtures/modules/plain/manifest.js';
import { failure, success } from '../../support/either.js';

const planned = (name: string, start: PlannedStart['source']['manifest']['start']): PlannedStart => {
  const manifest = { ...plain(name), start };
  const dir = `/modules/${name}`;
  return {
    source: { dir, manifestPath: `${dir}/manifest.json`, manifest },
    remembered: { intent: 'loaded', dir, shipped: false, parked: null, manifest },
    rest: undefined,
  };
};

const PLAN = [
  planned('first', { entry: './index.js' }),
  planned('second', { entry: './index.js' }),
  planned('foreign', { command: ['./program'] }),
];

describe('the ports for debuggers', () => {
  it('are those of the modules that are named; several may take a free port', () => {
    const inspected = [
      { module: 'first', port: 0 },
      { module: 'second', port: 0 },
    ];
    assert.deepEqual(
      success(inspectPortsOf(inspected, PLAN)),
      new Map([
        ['first', 0],
        ['second', 0],
      ]),
    );
  });

  it('are refused for a module that is unknown or no JavaScript, and for a port that is taken', () => {
    const cases: readonly (readonly [inspected: readonly [string, number][], message: RegExp])[] = [
      [[['nobody', 0]], /^--inspect nobody: this start knows no module of the name$/],
      [[['foreign', 0]], /^--inspect foreign: .* a program in another language$/],
      [
        [
          ['first', 9229],
          ['second', 9229],
        ],
        /^--inspect second: port 9229 is that of another module/,
      ],
    ];
    for (const [inspected, message] of cases) {
      const fault = failure(
        inspectPortsOf(
          inspected.map(([module, port]) => ({ module, port })),
          PLAN,
        ),
      );
      assert.equal(fault.code, 'USAGE');
      assert.match(fault.message, message);
    }
  });
});
