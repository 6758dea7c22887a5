import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';
import type { Draft, Settle } from '../../../journal/append/draft.js';
import { OutgoingCopies } from '../../../modules/host/outgoing-copies.js';
import type { PromisedCopy } from '../../../schemas/result-bytes.js';
import { waitFor } from '../../support/wait-for.js';

/** Copies on their way to a log that acknowledges when it is told to. Their clock stands still. */
const outgoing = () => {
  const sent: string[] = [];
  const settles: Settle[] = [];
  const stored: number[] = [];
  const broken: string[] = [];
  const submit = ({ subject }: Draft, settle: Settle): void => {
    sent.push(subject);
    settles.push(settle);
  };
  const copies = new OutgoingCopies(
    { submit },
    (cause) => stored.push(cause),
    ({ code }) => broken.push(code),
    () => 0,
  );
  const add = (seq: number, ...subjects: readonly string[]): void => {
    const out: readonly PromisedCopy[] = subjects.map((subject) => ({ subject, data: new Uint8Array(0) }));
    copies.add({ seq, conversation: seq, schema: '1', out });
  };
  const acknowledge = (): void => {
    for (const settle of settles.splice(0)) settle(E.right({ seq: 1, n: 1 }));
  };
  return { copies, sent, stored, broken, settles, add, acknowledge };
};

describe('outgoing copies', () => {
  it('an event after a pause goes at once, and the next one with the next result', () => {
    const { copies, sent, add } = outgoing();
    add(1, 'evt.a.one');
    assert.deepEqual(sent, ['evt.a.one']);
    add(2, 'evt.a.two');
    assert.deepEqual([sent.length, copies.waiting], [1, 1]);
    copies.send();
    assert.deepEqual(sent, ['evt.a.one', 'evt.a.two']);
    copies.close();
  });

  it('an event goes where no further result comes', async () => {
    const { sent, add } = outgoing();
    add(1, 'evt.a.one');
    add(2, 'evt.a.two');
    await waitFor('the second event to be sent', () => sent.length === 2);
  });

  it('a command goes at once, behind the events that wait', () => {
    const { sent, add } = outgoing();
    add(1, 'evt.a.one');
    add(2, 'evt.a.two');
    add(3, 'evt.a.three', 'cmd.b.act');
    assert.deepEqual(sent, ['evt.a.one', 'evt.a.two', 'evt.a.three', 'cmd.b.act']);
  });

  it('a command of the module is done when its last copy is acknowledged, and at once where it has none', () => {
    const { copies, stored, add, settles, acknowledge } = outgoing();
    add(1, 'evt.a.one', 'evt.a.two');
    add(2);
    assert.deepEqual(stored, [2]);
    (settles.shift() as Settle)(E.right({ seq: 1, n: 1 }));
    assert.deepEqual(stored, [2]);
    acknowledge();
    assert.deepEqual(stored, [2, 1]);
    copies.close();
  });

  it('a copy that the log refuses ends the session', () => {
    const { broken, settles, add } = outgoing();
    add(1, 'evt.a.one');
    (settles[0] as Settle)(E.left({ code: 'LOG_FULL', message: 'full', retryable: true }));
    assert.deepEqual(broken, ['LOG_FULL']);
  });

  it('I4 every copy is sent once, in the order of the results, whatever comes when', () => {
    const kind = fc.constantFrom('evt', 'cmd', 'send', 'acknowledge');
    fc.assert(
      fc.property(fc.array(kind, { maxLength: 60 }), (steps) => {
        const { copies, sent, stored, add, acknowledge } = outgoing();
        const expected: string[] = [];
        for (const [seq, step] of steps.entries()) {
          if (step === 'send') copies.send();
          else if (step === 'acknowledge') acknowledge();
          else {
            const subjects = [`evt.a.${seq}`, `${step}.b.${seq}`];
            expected.push(...subjects);
            add(seq, ...subjects);
          }
        }
        assert.deepEqual(sent, expected.slice(0, sent.length));
        copies.send();
        acknowledge();
        assert.deepEqual(sent, expected);
        assert.equal(stored.length * 2, expected.length);
        copies.close();
      }),
    );
  });
});
