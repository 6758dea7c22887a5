import { type AskedCall, statedCalls } from '../../journal/wire/call-digest.js';
import type { Findings } from './findings.js';
import { clip } from '../../text/printable.js';
import { quoted } from './found-value.js';
import type { RecordView } from './record-view.js';

/** A command that says that a handler called it, or a step of the handler. */
interface Called extends AskedCall {
  readonly seq: number;
  readonly sender: string;
}

/**
 * I11: a result says which calls and steps its handler made, and the log has those and no others. Those of a command
 * are held until it is answered; their digest is made where a result has one to compare.
 */
export class StatedCalls {
  readonly #calls = new Map<number, Called[]>();

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

  #add({ headers, record, seq, bytes }: RecordView, address: string, sender: string): void {
    // The record's own bytes are a part of many, which would be kept with it.
    const payload = Uint8Array.prototype.slice.call(bytes, record.dataFrom, record.dataTo);
    const called = { call: headers.call, seq, address, sender, payload };
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
    if (headers.callsFrom === headers.callsTo) return;
    const stated = view.text(headers.callsFrom, headers.callsTo);
    if (stated === statedCalls(own)) return;
    const has = own.length === 0 ? 'none' : own.map((each) => `${each.call} at ${each.seq}`).join(', ');
    const detail = `the result of ${headers.cause} says ${quoted(stated)} of its handler's calls, and the log has ${quoted(statedCalls(own))}: ${clip(has, 400)}`;
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
