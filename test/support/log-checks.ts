import type { NatsConnection } from 'nats';
import { authenticatorOf } from '../../link/nkey.js';
import { dial } from '../../link/dial.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { EpochRecord } from '../../journal/epochs/epoch.js';
import { readLog } from '../../journal/read/reader.js';
import { HEADER } from '../../schemas/headers.js';
import { parseIdentity, parsePart, parseSequence } from '../../schemas/identity.js';
import type { BrokerAddress } from '../../schemas/operate.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import { splitSubject } from '../../schemas/subjects.js';
import { waitFor } from './wait-for.js';

/** Everything that is wrong with a log, in words; written apart from the broker's own recovery, so that it can err. */
export interface LogReport {
  readonly commands: number;
  readonly results: number;
  readonly events: number;
  readonly findings: readonly string[];
  /** Commands without a result. */
  readonly unanswered: readonly number[];
  /** Results of commands by module and action: how many of each status. */
  readonly statuses: ReadonlyMap<string, number>;
}

interface Promised {
  readonly subject: string;
  readonly data: unknown;
  /** The result that promises it: a copy is a part of it, as it is written. */
  readonly text: string;
}

/** What a module may have stored; anything else that it promises never comes. */
const mayHave = (module: string, subject: string): boolean =>
  (subject.startsWith('cmd.') || subject.startsWith(`evt.${module}.`)) &&
  /^...(\.[A-Za-z0-9_-]{1,64}){2,3}$/.test(subject);

const decoder = new TextDecoder();

/** Lays a log's halves together: I2, I3, I4 and I5 as far as records show them. */
export class LogChecks {
  readonly #findings: string[] = [];
  /** Unanswered commands, by sequence: where they are handled one at a time. */
  readonly #open = new Map<number, string>();
  /** The last command of each agent that was answered. */
  readonly #lastAnswered = new Map<string, number>();
  readonly #answeredBy = new Map<number, number>();
  /** Copies that outcomes promise and that have not come, by cause and part. */
  readonly #promised = new Map<string, Promised>();
  readonly #numbers = new Map<string, number>();
  /** Numbers that are left out, by producer and epoch, until an epoch record explains them. */
  readonly #holes = new Map<string, Map<number, number>>();
  readonly #statuses = new Map<string, number>();
  #commands = 0;
  #results = 0;
  #events = 0;

  add(message: StoredMessage): void {
    const subject = splitSubject(message.subject);
    if (subject === undefined) {
      this.#findings.push(`${message.seq}: ${message.subject} is no subject of the log`);
      return;
    }
    this.#identity(message);
    if (subject.kind === 'epoch') return this.#epoch(message);
    const cause = parseSequence(message.header(HEADER.cause) ?? '');
    const lane = `${subject.module}/${subject.agent ?? ''}`;
    if (subject.kind === 'cmd') {
      this.#commands += 1;
      this.#open.set(message.seq, lane);
      if (
        message.header(HEADER.part) !== undefined &&
        parseIdentity(message.header(HEADER.id) ?? '')?.producer === subject.sender
      ) {
        this.#copy(message, cause, message.subject.slice(0, message.subject.lastIndexOf('.')));
      }
    } else if (subject.kind === 'res') {
      this.#results += 1;
      this.#result(message, cause, lane, `${subject.module}.${subject.name}`);
    } else {
      this.#events += 1;
      if (cause !== undefined) this.#copy(message, cause, message.subject);
    }
  }

  report(): LogReport {
    const missing = [...this.#promised].map(
      ([part, { subject }]) => `I4 copy ${part} (${subject}) is missing`,
    );
    const holes = [...this.#holes].flatMap(([epoch, numbers]) =>
      [...numbers].map(([n, seq]) => `I2 ${seq}: ${epoch} has no number ${n}, and no epoch record says why`),
    );
    return {
      commands: this.#commands,
      results: this.#results,
      events: this.#events,
      findings: [...this.#findings, ...holes, ...missing],
      unanswered: [...this.#open.keys()],
      statuses: this.#statuses,
    };
  }

  /** I2: numbers of one epoch come in order; one that is left out was refused, and the next epoch's record says so. */
  #identity(message: StoredMessage): void {
    const id = parseIdentity(message.header(HEADER.id) ?? '');
    if (id === undefined) return;
    const key = `${id.producer}.${id.epoch}`;
    const last = this.#numbers.get(key) ?? 0;
    if (id.n <= last) this.#findings.push(`I2 ${message.seq}: ${key} has number ${id.n} after ${last}`);
    for (let n = last + 1; n < id.n; n++) {
      const holes = this.#holes.get(key) ?? new Map<number, number>();
      this.#holes.set(key, holes.set(n, message.seq));
    }
    this.#numbers.set(key, Math.max(id.n, last));
  }

  #epoch(message: StoredMessage): void {
    const { producer, previous } = JSON.parse(decoder.decode(message.data)) as EpochRecord;
    if (previous === null || previous === undefined) return;
    const holes = this.#holes.get(`${producer}.${previous.epoch}`);
    for (const n of previous.holes) holes?.delete(n);
  }

  #result(message: StoredMessage, cause: number | undefined, lane: string, action: string): void {
    if (cause === undefined) {
      this.#findings.push(`I3 ${message.seq}: a result without a cause`);
      return;
    }
    const before = this.#answeredBy.get(cause);
    if (before !== undefined)
      this.#findings.push(`I3 ${message.seq}: command ${cause} was answered by ${before}`);
    this.#answeredBy.set(cause, message.seq);
    const open = this.#open.get(cause);
    if (open !== lane)
      this.#findings.push(`I3 ${message.seq}: answers ${cause}, which is of ${open ?? 'no command'}`);
    this.#open.delete(cause);
    const last = this.#lastAnswered.get(lane) ?? 0;
    if (cause < last) this.#findings.push(`I5 ${message.seq}: ${lane} handled ${cause} after ${last}`);
    this.#lastAnswered.set(lane, Math.max(cause, last));
    const text = decoder.decode(message.data);
    const result = JSON.parse(text) as Result;
    const [module = ''] = lane.split('/');
    const status = `${action} ${result.status === 'ok' ? 'ok' : result.error.code}`;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    if (result.status !== 'ok') return;
    for (const [index, { subject, data }] of (result.out ?? []).entries()) {
      if (mayHave(module, subject)) this.#promised.set(`${cause}/${index + 1}`, { subject, data, text });
    }
  }

  #copy(message: StoredMessage, cause: number | undefined, subject: string): void {
    const part = parsePart(message.header(HEADER.part) ?? '');
    const key = `${cause}/${part?.i}`;
    const promised = this.#promised.get(key);
    if (promised === undefined) {
      this.#findings.push(`I4 ${message.seq}: copy ${key} (${subject}) was not promised, or is there twice`);
      return;
    }
    this.#promised.delete(key);
    const copy = decoder.decode(message.data);
    const isSame = isDeepStrictEqual(JSON.parse(copy), promised.data) && promised.text.includes(copy);
    if (promised.subject !== subject || !isSame) {
      this.#findings.push(`I4 ${message.seq}: copy ${key} differs from its decision`);
    }
  }
}

/** Connects as the operator of the broker on this data directory. */
export const connectOperator = (dataDir: string): Promise<NatsConnection> => {
  const address = JSON.parse(readFileSync(join(dataDir, 'broker.json'), 'utf8')) as BrokerAddress;
  const seed = readFileSync(address.operatorSeed, 'utf8').trim();
  return dial({
    servers: address.nats,
    redialMs: 50,
    authenticator: authenticatorOf(seed),
  });
};

/** Reads and checks the whole log of a running broker; `visit` sees every record too. */
export const checkLog = async (
  dataDir: string,
  visit: (message: StoredMessage) => void = () => undefined,
): Promise<LogReport> => {
  const nc = await connectOperator(dataDir);
  try {
    const checks = new LogChecks();
    for await (const message of readLog(nc)) {
      checks.add(message);
      visit(message);
    }
    return checks.report();
  } finally {
    await nc.close();
  }
};

/** Waits until nothing is wrong with a log: answers come behind their commands, and copies behind answers. */
export const soundLog = async (dataDir: string): Promise<void> => {
  await waitFor('nothing to be wrong with the log', async () => {
    const { findings, unanswered } = await checkLog(dataDir);
    if (findings.length + unanswered.length === 0) return true;
    throw new Error(`unanswered: ${unanswered.join(' ')}; ${findings.slice(0, 10).join('; ')}`);
  });
};
