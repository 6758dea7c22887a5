import { type AskedCall, callDigest, statedDigests } from '../../journal/wire/call-digest.js';
import type { Findings } from './findings.js';
import { clip } from '../../text/printable.js';
import { quoted } from './found-value.js';
import type { RecordView } from './record-view.js';
import type { SeenRestart } from './seen-restart.js';

/** A command that says that a handler called it, or a step of the handler. */
interface Called extends Pick<AskedCall, 'call'> {
  readonly seq: number;
  readonly sender: string;
  /** What is asked for, or its digest, as a restart says. */
  readonly asked: AskedCall | string;
}

const statedBy = (calls: readonly Called[]): string =>
  statedDigests(
    calls.map(({ call, asked }) => ({
      call,
      digest: typeof asked === 'string' ? asked : callDigest(asked),
    })),
  );

/**
 * I11: a result says which calls and steps its handler made, and the log has those and no others. Those of a command
 * are held until it is answered; their digest is made where a result has one to compare.
 */
export class StatedCalls {
  readonly #calls = new Map<number, Called[]>();
  /** Commands that keep what a record before the range says. */
  readonly #unknown = new Set<number>();

  constructor(private readonly findings: Findings) {}

  /** A command of a module, whose cause is open. */
  called(view: RecordView): void {
    this.#add(
      view,
      view.text(view.moduleFrom, view.senderFrom - 1),
      view.text(view.senderFrom, view.senderTo),
    );
  }

  /** A step of the handler of an open command. */
  stepped(view: RecordView): void {
    const module = view.text(view.moduleFrom, view.moduleTo);
    if (view.headers.call === 0) {
      this.findings.add('callsDiffer', view.seq, module, 'a step has no number in Tally-Call');
      return;
    }
    this.#add(view, view.text(view.record.subjectFrom, view.record.subjectTo), module);
  }

  /** A restarted command has the operations that its restart keeps. */
  keeps(command: number, { kept, digests, module: sender }: SeenRestart): void {
    const called = kept.map(({ seq }, i) => ({ call: i + 1, seq, sender, asked: digests[i] as string }));
    if (called.length > 0) this.#calls.set(command, called);
  }

  /** It is not known what a command keeps. */
  isUnknown(command: number): void {
    this.#unknown.add(command);
  }

  #add({ headers, record, seq, bytes }: RecordView, address: string, sender: string): void {
    // The record's own bytes are a part of many, which would be kept with it.
    const payload = Uint8Array.prototype.slice.call(bytes, record.dataFrom, record.dataTo);
    const { call } = headers;
    const called = { call, seq, sender, asked: { call, address, payload } };
    const same = this.#calls.get(headers.cause);
    if (same === undefined) this.#calls.set(headers.cause, [called]);
    else same.push(called);
  }

  /** The result of a command that was open. */
  answered(view: RecordView): void {
    const { headers, seq } = view;
    const all = this.#calls.get(headers.cause);
    if (all === undefined && headers.callsFrom === headers.callsTo) return;
    this.#calls.delete(headers.cause);
    const module = view.text(view.moduleFrom, view.moduleTo);
    // Anybody may name a cause; calls of its handler are what its own module has sent.
    const own = (all ?? []).filter(({ sender }) => sender === module);
    this.#twice(headers.cause, own, module);
    if (this.#unknown.delete(headers.cause) || headers.callsFrom === headers.callsTo) return;
    const stated = view.text(headers.callsFrom, headers.callsTo);
    const is = statedBy(own);
    if (stated === is) return;
    const has = own.length === 0 ? 'none' : own.map((each) => `${each.call} at ${each.seq}`).join(', ');
    const detail = `the result of ${headers.cause} says ${quoted(stated)} of its handler's calls, and the log has ${quoted(is)}: ${clip(has, 400)}`;
    this.findings.add('callsDiffer', seq, module, detail);
  }

  #twice(cause: number, calls: readonly Called[], module: string): void {
    const first = new Map<number, number>();
    for (const { call, seq } of calls) {
      const before = first.get(call);
      if (before === undefined) first.set(call, seq);
      else {
        const detail = `call ${call} of ${cause} is there again; it stands at ${before}`;
        this.findings.add('callsDiffer', seq, module, detail);
      }
    }
  }
}
