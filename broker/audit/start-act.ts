import { userInfo } from 'node:os';
import type { StartConfig } from '../../schemas/config.js';
import { BY_BROKER } from '../../schemas/audit-record.js';
import type { Act } from './audit.js';

/** The user of the machine: who may start a broker needs no token. */
const user = (): string => {
  try {
    const { uid, username } = userInfo();
    return `by user ${username} (${uid}), pid ${process.pid}`;
  } catch {
    // A user without an entry in the machine's list has no name.
    return `by user ${process.getuid?.() ?? 'unknown'}, pid ${process.pid}`;
  }
};

/** An address may have a name and a password in it. */
const withoutCredential = (url: string): string => url.replace(/\/\/[^/]*@/, '//…@');

const of = (kind: 'broker.start' | 'broker.stop'): Act => ({
  principal: BY_BROKER,
  kind,
  outcome: 'ok',
  detail: user(),
});

export const startAct = ({ natsUrl, ...settings }: StartConfig): Act => ({
  ...of('broker.start'),
  target: settings.dataDir,
  settings: { ...settings, ...(natsUrl === undefined ? {} : { natsUrl: withoutCredential(natsUrl) }) },
});

/** A broker that was killed has no such record. */
export const stopAct = (): Act => of('broker.stop');
