import type { WireRecord } from '../../broker/journal/wire-record.js';
import { joined, PRIME_A, PRIME_B, SEED_A, SEED_B } from './byte-hash.js';
import { HeaderScan } from './header-scan.js';

export const KIND = { unknown: 0, cmd: 1, res: 2, evt: 3, epoch: 4 } as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

const DOT = 46;
const UNDERSCORE = 95;
const NAME_LENGTH = 64;
const TOKENS = 5;

/** 1 for bytes that a name may have. */
const IN_NAME = new Uint8Array(256);
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-')
  IN_NAME[c.charCodeAt(0)] = 1;

/** `cmd.`, `res.`, `evt.` and `epoc` as numbers. */
const word = (text: string): number => [...text].reduce((value, c) => (value << 8) | c.charCodeAt(0), 0);
const CMD = word('cmd.');
const RES = word('res.');
const EVT = word('evt.');
const EPOC = word('epoc');

/**
 * What the checks need of one record, read from its bytes without making strings: one object that looks at record after
 * record. Positions are those in `bytes`.
 */
export class RecordView {
  record!: WireRecord;
  bytes!: Buffer;
  seq = 0;
  kind: Kind = KIND.unknown;
  moduleFrom = 0;
  moduleTo = 0;
  /** Equal without an agent. */
  agentFrom = 0;
  agentTo = 0;
  /** Last token of a command's subject; equal in other records. */
  senderFrom = 0;
  senderTo = 0;
  /** Fingerprint of module, name and agent, as the result of a command has them: `_` for what is no name. */
  address = 0;
  /** Fingerprint of module and agent: whose commands are handled one after the other. */
  lane = 0;
  /** Whether the agent is a name: several that are none share `_`. */
  hasLane = false;
  readonly headers = new HeaderScan();

  private readonly from = new Int32Array(TOKENS);
  private readonly to = new Int32Array(TOKENS);
  // The hash of the token that was read last, and whether it is a name.
  private tokenA = 0;
  private tokenB = 0;
  private isName = false;

  look(record: WireRecord): void {
    this.record = record;
    this.bytes = record.bytes;
    this.seq = record.seq;
    this.headers.scan(record.bytes, record.headersFrom, record.dataFrom);
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
    const first =
      ((bytes[start] as number) << 24) |
      ((bytes[start + 1] as number) << 16) |
      ((bytes[start + 2] as number) << 8) |
      (bytes[start + 3] as number);
    if (first === CMD) this.split(bytes, start + 4, end, KIND.cmd);
    else if (first === RES) this.split(bytes, start + 4, end, KIND.res);
    else if (first === EVT) this.split(bytes, start + 4, end, KIND.evt);
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
    let tokenStart = start;
    for (let at = start; at <= end; at++) {
      if (at < end && bytes[at] !== DOT) continue;
      if (count === TOKENS) return;
      from[count] = tokenStart;
      to[count] = at;
      count += 1;
      tokenStart = at + 1;
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
    const { from, to } = this;
    this.token(bytes, from[0] as number, to[0] as number);
    const moduleA = this.tokenA;
    const moduleB = this.tokenB;
    this.token(bytes, from[1] as number, to[1] as number);
    const nameA = this.tokenA;
    const nameB = this.tokenB;
    this.tokenA = 0;
    this.tokenB = 0;
    this.isName = true;
    if (hasAgent) this.token(bytes, from[2] as number, to[2] as number);
    // `_` itself is a name, and what stands for all that are none.
    this.hasLane =
      this.isName && !(this.agentTo - this.agentFrom === 1 && bytes[this.agentFrom] === UNDERSCORE);
    const laneA = Math.imul(moduleA ^ 0x51, PRIME_A) ^ this.tokenA;
    const laneB = Math.imul(moduleB ^ 0x51, PRIME_B) ^ this.tokenB;
    this.lane = joined(laneA, laneB);
    this.address = joined(Math.imul(laneA, PRIME_A) ^ nameA, Math.imul(laneB, PRIME_B) ^ nameB);
  }

  private token(bytes: Buffer, start: number, end: number): void {
    let a = SEED_A;
    let b = SEED_B;
    let valid = end > start && end - start <= NAME_LENGTH ? 1 : 0;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number;
      valid &= IN_NAME[byte] as number;
      a = Math.imul(a ^ byte, PRIME_A);
      b = Math.imul(b ^ byte, PRIME_B) ^ (b >>> 17);
    }
    this.isName = valid === 1;
    if (valid === 0) {
      a = Math.imul(SEED_A ^ UNDERSCORE, PRIME_A);
      b = Math.imul(SEED_B ^ UNDERSCORE, PRIME_B) ^ (SEED_B >>> 17);
    }
    this.tokenA = a;
    this.tokenB = b;
  }
}
