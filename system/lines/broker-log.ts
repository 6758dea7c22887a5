import { printable } from '../../text/printable.js';

/** The log of the broker: `time source text`, one line an entry, or more where the text has more. */
export interface BrokerLog {
  readonly line: (source: string, text: string) => void;
}

/** Writes to stderr, since stdout is for what was asked; a collector of the system's (journald, docker) takes it on. */
export const stderrLog = (stream: NodeJS.WritableStream = process.stderr): BrokerLog => ({
  line: (source, text) => {
    const head = `${new Date().toISOString()} [${source}] `;
    // Modules and senders have a part in what is said here: each line bears its head, and steers no terminal.
    const lines = text.split('\n').map((line) => `${head}${printable(line.replaceAll('\t', '  '))}\n`);
    stream.write(lines.join(''));
  },
});
