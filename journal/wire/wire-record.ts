import { formatInstant } from '../../schemas/instant.js';
import type { WholeMessage } from '../../schemas/record.js';
import { headerIn } from '../../link/header-text.js';

const ZERO = 48;

/**
 * A record that is still the bytes it came as: a scan of a log looks at few of its fields, or reads these bytes
 * without making strings of them.
 */
export class WireRecord implements WholeMessage {
  private headers: string | undefined;

  constructor(
    readonly seq: number,
    /** What the socket gave, and where in it the parts are; the headers end where the data begins. */
    readonly bytes: Buffer,
    readonly subjectFrom: number,
    readonly subjectTo: number,
    readonly nanosFrom: number,
    readonly nanosTo: number,
    readonly headersFrom: number,
    readonly dataFrom: number,
    readonly dataTo: number,
  ) {}

  /** Bytes of subject, headers and payload. */
  get size(): number {
    return this.subjectTo - this.subjectFrom + this.dataTo - this.headersFrom;
  }

  get subject(): string {
    return this.bytes.toString('utf8', this.subjectFrom, this.subjectTo);
  }

  get subjectBytes(): Uint8Array {
    return this.bytes.subarray(this.subjectFrom, this.subjectTo);
  }

  get time(): string {
    return formatInstant(this.timeMs);
  }

  /** Cut, not rounded: the digits but for the last six. */
  get timeMs(): number {
    return this.timeWithout(6);
  }

  get timeUs(): number {
    return this.timeWithout(3);
  }

  private timeWithout(digits: number): number {
    let time = 0;
    for (let at = this.nanosFrom; at < this.nanosTo - digits; at++)
      time = time * 10 + (this.bytes[at] as number) - ZERO;
    return time;
  }

  get nanos(): string {
    return this.bytes.toString('latin1', this.nanosFrom, this.nanosTo);
  }

  get headerBytes(): Uint8Array {
    return this.bytes.subarray(this.headersFrom, this.dataFrom);
  }

  get data(): Uint8Array {
    return this.bytes.subarray(this.dataFrom, this.dataTo);
  }

  header(name: string): string | undefined {
    this.headers ??= this.bytes.toString('utf8', this.headersFrom, this.dataFrom);
    return headerIn(this.headers, name);
  }
}
