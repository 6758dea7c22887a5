import { printable } from '../../text/printable.js';

/** The output of the broker: `time source text`, one line an entry, or more if the text has more. */
export interface BrokerLog {
  readonly line: (source: string, text: string) => void;
}

/**
 * Writes to stderr, because stdout is for results. A collector of the system (journald, docker) takes it from there.
 */
export const stderrLog = (stream: NodeJS.WritableStream = process.stderr): BrokerLog => ({
  line: (source, text) => {
    const head = `${new Date().toISOString()} [${source}] `;
    // Text of modules and senders can be in these lines: each line has its head, and none controls a terminal.
    const lines = text.split('\n').map((line) => `${head}${printable(line.replaceAll('\t', '  '))}\n`);
    stream.write(lines.join(''));
  },
});
