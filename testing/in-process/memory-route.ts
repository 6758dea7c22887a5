import * as E from 'fp-ts/lib/Either.js';
import { admitSchedule } from '../../broker/schedules/admit-schedule.js';
import { findAsked } from '../../broker/gateway/asked-command.js';
import { admitCall, moduleUnknown } from '../../broker/gateway/call-admission.js';
import { keyDiffers, keyReused } from '../../broker/gateway/key-reuse.js';
import type { CallRoute } from '../../modules/client/module-calls.js';
import { addressOf, type Prepared, prepared } from '../../modules/client/prepared.js';
import { textsOf } from '../../modules/client/schedule-later.js';
import { DEFAULT_CALL_TIMEOUT_MS } from '../../modules/client/task-client.js';
import { KEY_WINDOW_MS } from '../../schemas/command-key.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import { type Refusal, refusal } from '../../schemas/result.js';
import { addressText, storedCommandSubject } from '../../schemas/subjects.js';
import { type MemoryBroker, resultIn } from './memory-broker.js';
import { MemorySchedules } from './memory-schedules.js';

/** The way of a client's calls to the log of this process. The same checks refuse them, in the same words. */
export class MemoryRoute implements CallRoute {
  /** Refuses the calls that wait, by their commands. */
  readonly #waiting = new Map<number, (why: Refusal) => void>();
  /** Commands by their keys. */
  readonly #keyed = new Map<string, StoredMessage>();
  readonly #schedules: MemorySchedules;
  #closed = false;

  constructor(
    private readonly broker: MemoryBroker,
    private readonly sender: string,
  ) {
    this.#schedules = new MemorySchedules(broker.clock, (draft) => broker.store('scheduler', draft));
  }

  readonly call: CallRoute['call'] = async (asked, { timeoutMs = DEFAULT_CALL_TIMEOUT_MS }) => {
    const ready = this.#prepared(asked);
    if (E.isLeft(ready)) return E.left(refusal(ready.left));
    const { address, payload } = ready.right;
    const request = { subject: addressText(address), sender: this.sender, payloadBytes: payload.length };
    const admitted = admitCall(request, this.broker.directory);
    if (E.isLeft(admitted)) return E.left(refusal(admitted.left));
    const stored = this.#stored(ready.right);
    return E.isLeft(stored) ? E.left(refusal(stored.left)) : this.#resultOf(stored.right.seq, timeoutMs);
  };

  readonly send: CallRoute['send'] = async (asked) => {
    const ready = this.#prepared(asked);
    if (E.isLeft(ready)) return ready;
    const { address } = ready.right;
    if (this.broker.directory.find(address.module) === undefined)
      return E.left(moduleUnknown(address.module));
    const stored = this.#stored(ready.right);
    return E.isLeft(stored) ? stored : E.right(stored.right.seq);
  };

  readonly result: CallRoute['result'] = async (asked, command, { timeoutMs = DEFAULT_CALL_TIMEOUT_MS }) => {
    const address = addressOf(asked);
    if (E.isLeft(address)) return E.left(refusal(address.left));
    const record = this.broker.log.at(command);
    const subject = E.isLeft(record) ? undefined : record.right.subject;
    const request = { seq: command, sender: this.sender, command: addressText(address.right) };
    const found = findAsked(subject, request, () => false);
    return E.isLeft(found) ? E.left(refusal(found.left)) : this.#resultOf(command, timeoutMs);
  };

  readonly schedule: CallRoute['schedule'] = async (asked, when) => {
    const ready = this.#prepared(asked);
    if (E.isLeft(ready)) return E.left(refusal(ready.left));
    const { address, payload } = ready.right;
    const { sender } = this;
    const { [HEADER.key]: key, ...headers } = ready.right.headers;
    const request = {
      subject: addressText(address),
      sender,
      data: payload,
      headers,
      when: textsOf(when),
      key,
    };
    const { directory, clock } = this.broker;
    const admitted = admitSchedule(request, directory, clock.now());
    const added = E.isLeft(admitted) ? admitted : this.#schedules.add(admitted.right);
    return E.isLeft(added) ? E.left(refusal(added.left)) : added;
  };

  /** Takes no more calls, and refuses those that wait for the clock. */
  close(): void {
    this.#closed = true;
    for (const refuse of this.#waiting.values())
      refuse(refusal(fault('LOG_UNCERTAIN', 'the log in this process was closed before the result came')));
  }

  /** The command, or the one that its key names already. */
  #stored({ address, payload, headers }: Prepared): E.Either<Fault, StoredMessage> {
    const { broker, sender } = this;
    const asked = { subject: storedCommandSubject(address, sender), data: payload };
    const key = headers[HEADER.key];
    const before = key === undefined ? undefined : this.#keyed.get(key);
    if (key !== undefined && before !== undefined && broker.clock.now() - before.timeMs < KEY_WINDOW_MS) {
      const differs = keyDiffers(before, asked);
      return differs === undefined
        ? E.right(before)
        : E.left(keyReused(key, `command ${before.seq}`, differs));
    }
    const stored = broker.command(asked.subject, payload, headers);
    if (key !== undefined && E.isRight(stored)) this.#keyed.set(key, stored.right);
    return stored;
  }

  #prepared(asked: Parameters<CallRoute['call']>[0]): ReturnType<typeof prepared> {
    const closed: Fault = fault('BROKER_UNREACHABLE', 'the log in this process is closed');
    return this.#closed ? E.left(closed) : prepared(asked);
  }

  /** The result of a command, unless the caller's clock passes its limit before. */
  async #resultOf(command: number, timeoutMs: number): Promise<E.Either<Refusal, unknown>> {
    const { clock } = this.broker;
    const given = new Promise<Refusal>((refuse) => this.#waiting.set(command, refuse));
    const text = `command ${command} has no result after ${timeoutMs} ms; it may have one later`;
    const forget = clock.after(timeoutMs, () =>
      this.#waiting.get(command)?.(refusal(fault('LOG_UNCERTAIN', text))),
    );
    const said = await Promise.race([this.broker.result(command).then(resultIn), given.then(E.left)]);
    forget();
    this.#waiting.delete(command);
    return said as E.Either<Refusal, unknown>;
  }
}
