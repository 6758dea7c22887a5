import { partOrInvalid } from '../../schemas/names.js';
import type { Handling, Role } from './conversation-trace.js';
import type { TraceRecord } from './trace-record.js';

/** A node while the tree is built. */
export interface Growing {
  readonly record: TraceRecord;
  readonly role: Role;
  readonly parent: Growing | undefined;
  readonly children: Growing[];
  atMs: number;
  problem: string | null;
  result: TraceRecord | null;
  handling: Handling | null;
  /** Numbers of its outcome's copies that were found. */
  readonly copies: Set<number>;
  size: number;
}

interface NodePlace {
  readonly role: Role;
  readonly parent?: Growing | undefined;
  readonly problem?: string;
}

/** As the subject of a result has it: what is no name is `_` there. */
const answers = (result: TraceRecord, { record }: Growing): boolean =>
  result.module === partOrInvalid(record.module ?? '') && result.name === partOrInvalid(record.name ?? '');

/** Lays records together by cause, one by one in log order. */
export class Growth {
  readonly nodes: Growing[] = [];
  readonly #commands = new Map<number, Growing>();
  readonly #events = new Map<number, Growing>();

  constructor(private readonly conversation: number) {}

  add(record: TraceRecord): void {
    if (record.kind === 'res' && this.#answer(record)) return;
    const { role, parent, problem = null } = this.#place(record);
    const node: Growing = {
      record,
      role,
      parent,
      children: [],
      atMs: 0,
      problem,
      result: null,
      handling: null,
      copies: new Set(),
      size: 1,
    };
    parent?.children.push(node);
    this.nodes.push(node);
    if (record.kind === 'cmd') this.#commands.set(record.seq, node);
    if (record.kind === 'evt') this.#events.set(record.seq, node);
  }

  #answer(result: TraceRecord): boolean {
    const command = result.cause === null ? undefined : this.#commands.get(result.cause);
    if (command === undefined || command.result !== null || !answers(result, command)) return false;
    command.result = result;
    command.size += 1;
    return true;
  }

  /** Causes are looked for among what came before, so whatever a log says, nothing is below itself. */
  #place(record: TraceRecord): NodePlace {
    const { seq, kind, cause } = record;
    const redriven = record.redrives === null ? undefined : this.#commands.get(record.redrives);
    if (kind === 'cmd' && redriven !== undefined) return { role: 'redrive', parent: redriven };
    const heard = record.event === null ? undefined : this.#events.get(record.event);
    if (heard !== undefined) return { role: 'caused', parent: heard };
    const parent = cause === null ? undefined : this.#commands.get(cause);
    if (parent !== undefined) return { parent, ...this.#below(record, parent) };
    const role: Role = seq === this.conversation ? 'first' : 'joined';
    if (kind === 'res') return { role, problem: 'a result of no command of this conversation' };
    if (cause === null) return { role };
    return {
      role,
      problem: `names as its cause ${cause}, which is no command before it in this conversation`,
    };
  }

  #below(record: TraceRecord, parent: Growing): NodePlace {
    const { kind, part, call, sender } = record;
    if (kind === 'res')
      return {
        role: 'caused',
        problem: parent.result === null ? 'a result of another action' : 'a second result',
      };
    if (kind === 'wake') return { role: 'wake' };
    // Anyone can write these headers; they count where the module wrote them that handles the command.
    if (sender !== parent.record.module) return { role: 'caused' };
    if (kind === 'cmd' && call !== null) return { role: 'call' };
    if (kind === 'step') return { role: 'step' };
    if (part === null) return { role: 'caused' };
    if (parent.copies.has(part.i)) return { role: 'copy', problem: `copy ${part.i} is there twice` };
    parent.copies.add(part.i);
    return parent.result === null ? { role: 'copy', problem: 'a copy without its result' } : { role: 'copy' };
  }
}
