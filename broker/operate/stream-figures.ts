import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { LOG } from '../../schemas/log.js';

/** What the server says of the log as a whole. */
export class StreamFigures {
  #kept: StreamInfo | undefined;

  constructor(
    private readonly jsm: JetStreamManager,
    /** The end of the log, as far as the broker has read it. */
    private readonly logEnd: () => number,
  ) {}

  async read(): Promise<StreamInfo> {
    this.#kept = await this.jsm.streams.info(LOG);
    return this.#kept;
  }

  /** The same. A log that has no more records than the last time is not asked for: only its end grows. */
  async known(): Promise<StreamInfo> {
    const kept = this.#kept;
    return kept !== undefined && kept.state.last_seq === this.logEnd() ? kept : this.read();
  }
}
