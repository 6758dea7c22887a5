import type { WireRecord } from '../../journal/wire/wire-record.js';
import { fourBytes, wordsOf } from '../../journal/wire/byte-words.js';
import { ByteHash } from './byte-hash.js';
import { HeaderScan } from './header-scan.js';

export const KIND = {
  unknown: 0,
  cmd: 1,
  res: 2,
  evt: 3,
  epoch: 4,
  step: 5,
  wake: 6,
  cancel: 7,
  signal: 8,
  restart: 9,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

const DOT = 46;
const UNDERSCORE = 95;
const NAME_LENGTH = 64;
const PARTS = 5;

/** What a byte of a subject is: part of a name, the end of a part, or neither. */
const [NAME, END, OTHER] = [0, 1, 2];
const CLASS = new Uint8Array(256).fill(OTHER);
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-')
  CLASS[c.charCodeAt(0)] = NAME;
CLASS[DOT] = END;

/** What stands in the subject of a result for a part that is no name. */
const INVALID = wordsOf(Buffer.from('_'));

/** `cmd.`, `res.`, `evt.`, `step`, `wake`, `canc`, `rest`, `sign` and `epoc` as numbers. */
const CMD = fourBytes(Buffer.from('cmd.'));
const RES = fourBytes(Buffer.from('res.'));
const EVT = fourBytes(Buffer.from('evt.'));
const STEP = fourBytes(Buffer.from('step'));
const SIGN = fourBytes(Buffer.from('sign'));
const WAKE = fourBytes(Buffer.from('wake'));
const CANC = fourBytes(Buffer.from('canc'));
const REST = fourBytes(Buffer.from('rest'));
const EPOC = fourBytes(Buffer.from('epoc'));

/**
 * What the checks need of one record, read from its bytes without making strings: one object that looks at record after
 * record. Positions are those in `bytes`.
 */
export class RecordView {
  record!: WireRecord;
  bytes!: Buffer;
  /** The same bytes, to be read several at a time. */
  words!: DataView;
  seq = 0;
  kind: Kind = KIND.unknown;
  moduleFrom = 0;
  moduleTo = 0;
  /** Equal without an agent. */
  agentFrom = 0;
  agentTo = 0;
  /** Last part of a command's subject; equal in other records. */
  senderFrom = 0;
  senderTo = 0;
  /** Fingerprint of module, name and agent, as the result of a command has them: `_` for what is no name. */
  address = 0;
  /** Fingerprint of module and agent: whose commands are handled one after the other. */
  lane = 0;
  /** Whether the agent is a name: several that are none share `_`. */
  hasLane = false;
  readonly headers = new HeaderScan();

  // Of each part of a subject: where it is, and whether it is a name.
  private readonly from = new Int32Array(PARTS);
  private readonly to = new Int32Array(PARTS);
  private readonly isName = new Uint8Array(PARTS);
  private readonly hash = new ByteHash();

  look(record: WireRecord): void {
    this.record = record;
    // Many records come in the same bytes.
    if (record.bytes !== this.bytes) {
      this.bytes = record.bytes;
      this.words = wordsOf(record.bytes);
    }
    this.seq = record.seq;
    this.headers.scan(record.bytes, this.words, record.headersFrom, record.dataFrom);
    this.subject(record.bytes, record.subjectFrom, record.subjectTo);
  }

  /** Text of a part of the record, for what is said about it. */
  text(from: number, to: number): string {
    return this.bytes.toString('utf8', from, to);
  }

  private subject(bytes: Buffer, start: number, end: number): void {
    this.kind = KIND.unknown;
    this.moduleFrom = this.moduleTo = this.agentFrom = this.agentTo = this.senderFrom = this.senderTo = start;
    if (end - start < 6) return;
    const first = this.words.getInt32(start, true);
    if (first === CMD) this.split(bytes, start + 4, end, KIND.cmd);
    else if (first === RES) this.split(bytes, start + 4, end, KIND.res);
    else if (first === EVT) this.split(bytes, start + 4, end, KIND.evt);
    else if (first === STEP && bytes[start + 4] === DOT) this.split(bytes, start + 5, end, KIND.step);
    else if (first === WAKE && bytes[start + 4] === DOT) this.split(bytes, start + 5, end, KIND.wake);
    else if (first === CANC && bytes.toString('latin1', start, start + 7) === 'cancel.')
      this.split(bytes, start + 7, end, KIND.cancel);
    else if (first === REST && bytes.toString('latin1', start, start + 8) === 'restart.')
      this.split(bytes, start + 8, end, KIND.restart);
    else if (first === SIGN && bytes.toString('latin1', start, start + 7) === 'signal.')
      this.split(bytes, start + 7, end, KIND.signal);
    else if (first === EPOC && bytes[start + 4] === 104 && bytes[start + 5] === DOT)
      this.epoch(bytes, start + 6, end);
  }

  private epoch(bytes: Buffer, start: number, end: number): void {
    if (end === start || bytes.subarray(start, end).includes(DOT)) return;
    this.kind = KIND.epoch;
    this.moduleFrom = start;
    this.moduleTo = end;
  }

  private split(bytes: Buffer, start: number, end: number, kind: Kind): void {
    const { from, to } = this;
    let count = 0;
    let partStart = start;
    let isName = 1;
    for (let at = start; at <= end; at++) {
      const is = at < end ? (CLASS[bytes[at] as number] as number) : END;
      if (is === NAME) continue;
      if (is === OTHER) {
        isName = 0;
        continue;
      }
      if (count === PARTS) return;
      const length = at - partStart;
      from[count] = partStart;
      to[count] = at;
      this.isName[count] = length > 0 && length <= NAME_LENGTH ? isName : 0;
      count += 1;
      partStart = at + 1;
      isName = 1;
    }
    const own = kind === KIND.cmd ? count - 1 : count;
    if (own < 2 || own > 3) return;
    this.kind = kind;
    this.moduleFrom = from[0] as number;
    this.moduleTo = to[0] as number;
    if (own === 3) {
      this.agentFrom = from[2] as number;
      this.agentTo = to[2] as number;
    }
    if (kind === KIND.cmd) {
      this.senderFrom = from[own] as number;
      this.senderTo = to[own] as number;
    }
    if (kind !== KIND.evt) this.fingerprints(bytes, own === 3);
  }

  private fingerprints(bytes: Buffer, hasAgent: boolean): void {
    const { isName } = this;
    // `_` itself is a name, and what stands for all that are none.
    this.hasLane =
      !hasAgent ||
      (isName[2] === 1 && !(this.agentTo - this.agentFrom === 1 && bytes[this.agentFrom] === UNDERSCORE));
    this.hash.reset();
    this.part(0);
    if (hasAgent) this.part(2);
    this.lane = this.hash.value;
    this.part(1);
    this.address = this.hash.value;
  }

  private part(index: number): void {
    if (this.isName[index] === 1)
      this.hash.add(this.words, this.from[index] as number, this.to[index] as number);
    else this.hash.add(INVALID, 0, 1);
  }
}
