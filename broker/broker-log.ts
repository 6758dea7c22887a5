/** The log of the broker: one line an entry, `time source text`. */
export interface BrokerLog {
  readonly line: (source: string, text: string) => void;
}

/** Writes to stderr, since stdout is for what was asked; a collector of the system's (journald, docker) takes it on. */
export const stderrLog = (stream: NodeJS.WritableStream = process.stderr): BrokerLog => ({
  line: (source, text) => {
    stream.write(`${new Date().toISOString()} [${source}] ${text}\n`);
  },
});
