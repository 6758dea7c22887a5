import type { BrokerLog } from '../../system/lines/broker-log.js';
import { LineLimit } from '../../system/lines/line-limit.js';

/** Lines that tell of trouble; the broker keeps the rest to itself. */
const TROUBLE = /\[(WRN|ERR|FTL)\]/;
/** What every line begins with: process, day and time. */
const PREFIX = /^\[\d+\] \S+ \S+ /;
/** A line about one connection. Any client that may connect can cause one with each packet. */
const OF_CONNECTION = / - \w*cid:\d+ /;

const MAX_CHARACTERS = 1_024;

/**
 * Takes what nats-server writes. `heard` sees every line; the log of the broker gets those that tell of trouble, with
 * a limit for what connections cause and another for the rest, so that the one does not hide the other.
 */
export const serverLines = (log: BrokerLog, heard: (line: string) => void): ((line: string) => void) => {
  const say = (text: string): void =>
    log.line('nats-server', text, { level: text.includes('[WRN]') ? 'warn' : 'error' });
  const ofConnections = new LineLimit({ burst: 20, perSecond: 2, maxCharacters: MAX_CHARACTERS, say });
  const own = new LineLimit({ burst: 200, perSecond: 20, maxCharacters: MAX_CHARACTERS, say });
  return (line) => {
    heard(line);
    // Seeds and the loopback binding are the broker's own doing and no news.
    if (!TROUBLE.test(line) || line.includes('Plaintext passwords')) return;
    (OF_CONNECTION.test(line) ? ofConnections : own).line(line.replace(PREFIX, ''));
  };
};
