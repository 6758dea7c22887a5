import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { readCommand } from '../../../modules/host/read-command.js';
import { compileChecks } from '../../../modules/sdk/checks.js';
import type { AnyModule } from '../../../modules/sdk/module-shape.js';
import type { CommandSubject } from '../../../schemas/subjects.js';
import { counter } from '../counter.js';

const module = counter() as unknown as AnyModule;
const checks = compileChecks(module.manifest);
const NOW = Date.parse('2030-01-01T00:00:00Z');

interface Sent {
  readonly subject?: Partial<CommandSubject>;
  readonly data?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

const read = ({ subject, data = '{"by":1}', headers = {} }: Sent) =>
  readCommand(
    { module, checks },
    { kind: 'cmd', module: 'counter', name: 'add', agent: 'alice', sender: 'guest', ...subject },
    {
      seq: 9,
      time: '2029-12-31T23:59:59Z',
      timeMs: Date.UTC(2029, 11, 31, 23, 59, 59),
      subject: '',
      header: (name) => headers[name],
      data: typeof data === 'string' ? Buffer.from(data) : data,
    },
    NOW,
  );

const code = (sent: Sent): string => {
  const result = read(sent);
  return E.isLeft(result) ? result.left.code : 'read';
};

describe('a stored command, as its handler gets it', () => {
  it('has its place in the log, its agent and its sender', () => {
    assert.deepEqual(read({ headers: { 'Tally-Conversation': '4' } }), {
      _tag: 'Right',
      right: {
        seq: 9,
        time: '2029-12-31T23:59:59Z',
        agent: 'alice',
        sender: 'guest',
        config: undefined,
        conversation: 4,
        data: { by: 1 },
      },
    });
  });

  it('a conversation that cannot be read begins with the command itself', () => {
    for (const text of ['', '0', '-1', '1.5', 'x', '99999999999999999999']) {
      const result = read({ headers: { 'Tally-Conversation': text } });
      assert.ok(E.isRight(result) && result.right.conversation === 9, text);
    }
  });

  it('a deadline is RFC 3339: what has passed is past, what cannot be read is an error', () => {
    const at = (text: string): string => code({ headers: { 'Tally-Deadline': text } });
    for (const text of ['2030-01-01T00:00:00Z', '2030-01-01T01:00:00.5+00:30', '2030-01-01t00:00:01z']) {
      assert.equal(at(text), 'read', text);
    }
    for (const text of ['2029-12-31T23:59:59.999Z', '2030-01-01T01:00:00+02:00', '1970-01-01 00:00:00Z']) {
      assert.equal(at(text), 'DEADLINE_PAST', text);
    }
    for (const text of [
      '',
      '1',
      '2030',
      '2030-01-01',
      '2030-01-01T00:00:00',
      '2030-13-01T00:00:00Z',
      'soon',
    ]) {
      assert.equal(at(text), 'HEADER_INVALID', text);
    }
  });

  it('names are judged before anything else', () => {
    const late = { 'Tally-Deadline': '1970-01-01T00:00:00Z' };
    assert.equal(code({ subject: { agent: 'al!ce' }, headers: late }), 'NAME_INVALID');
    assert.equal(code({ subject: { name: 'add*' }, data: 'x' }), 'NAME_INVALID');
  });

  it('the payload must be within the limit, JSON, and what the schema takes', () => {
    assert.equal(code({ data: `{"by":1${' '.repeat(262_144)}}` }), 'PAYLOAD_TOO_LARGE');
    assert.equal(code({ data: '{"by":' }), 'PAYLOAD_NOT_JSON');
    assert.equal(code({ data: new Uint8Array([0x22, 0xff, 0x22]) }), 'PAYLOAD_NOT_JSON');
    assert.equal(code({ data: '' }), 'PAYLOAD_INVALID', 'nothing is {}');
    assert.equal(code({ data: '{"by":101}' }), 'PAYLOAD_INVALID');
  });

  it('the action must be there, addressed as it declares, and open to the sender', () => {
    const to = (name: string, agent: string | undefined, sender = 'guest'): string => {
      const { agent: _agent, ...subject } = { kind: 'cmd', module: 'counter', name, agent, sender } as const;
      const result = readCommand(
        { module, checks },
        agent === undefined ? subject : { ...subject, agent },
        { seq: 1, time: '', timeMs: 0, subject: '', header: () => undefined, data: Buffer.from('{"by":1}') },
        NOW,
      );
      return E.isLeft(result) ? result.left.code : 'read';
    };
    for (const name of ['nothing', 'constructor', '__proto__'])
      assert.equal(to(name, 'alice'), 'ACTION_UNKNOWN');
    assert.equal(to('add', undefined), 'AGENT_REQUIRED');
    assert.equal(to('reset', 'alice', 'counter'), 'AGENT_UNEXPECTED');
    assert.equal(to('reset', undefined), 'CALLER_FORBIDDEN');
    assert.equal(to('reset', undefined, 'counter'), 'read');
  });
});
