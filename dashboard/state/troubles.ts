import { certificateTime } from '../../schemas/instant.js';
import type { BrokerStatus } from '../../schemas/operate.js';

/** Something that an operator should look at. */
export interface Trouble {
  readonly level: 'bad' | 'warn';
  readonly text: string;
  readonly todo: string;
  /** Where the page shows more. */
  readonly link?: readonly string[];
}

/** A share of the log at which it is time to act. */
const NEARLY_FULL = 0.8;
const MANY_WAITING = 1_000;
const SOON_MS = 14 * 86_400_000;

const ofModules = ({ modules }: BrokerStatus): readonly Trouble[] =>
  modules.flatMap(({ name, state, reason, restarts, lag }): Trouble[] => {
    const link = ['modules', name];
    if (state === 'crashed')
      return [
        {
          level: 'bad',
          text: `${name} is parked${reason === null ? '' : `: ${reason.replace(/^parked /, '')}`}`,
          todo: 'Fix its code, then reload it.',
          link,
        },
      ];
    if (reason !== null)
      return [
        {
          level: 'warn',
          text: `${name} ${state === 'loading' ? 'starts again' : 'ended before'}: ${reason}`,
          todo:
            restarts === 0
              ? 'Read its last lines.'
              : `It has been restarted ${restarts} times. Read its last lines.`,
          link,
        },
      ];
    if (lag >= MANY_WAITING)
      return [
        {
          level: 'warn',
          text: `${lag} commands wait for ${name}`,
          todo: 'Look at its agents and its memory.',
          link,
        },
      ];
    return [];
  });

const ofLog = ({ log, losses }: BrokerStatus): readonly Trouble[] => [
  ...losses.map(
    ({ at, code, message, dir }): Trouble => ({
      level: 'bad',
      text: `The log lost records (${code}, ${at}): ${message}`,
      todo: `Read the report in ${dir}.`,
    }),
  ),
  ...(log.refusal === null
    ? []
    : [
        {
          level: 'bad',
          text: `The broker takes no new command: ${log.refusal}`,
          todo: 'Make room, or raise --max-bytes.',
        } as const,
      ]),
  ...(log.refusal === null && log.maxBytes > 0 && log.bytes / log.maxBytes > NEARLY_FULL
    ? [
        {
          level: 'warn',
          text: `The log is ${Math.round((100 * log.bytes) / log.maxBytes)} % full`,
          todo: 'Export and start with a larger --max-bytes.',
        } as const,
      ]
    : []),
];

const ofMachine = (
  { cage, audit, callsDropped = {}, certificateEnds }: BrokerStatus,
  nowMs: number,
): readonly Trouble[] => [
  ...cage.layers
    .filter(({ holds }) => !holds)
    .map(
      ({ layer, detail }): Trouble => ({
        level: 'warn',
        text: `The cage lacks the layer ${layer}: ${detail}`,
        todo: 'Run `tallystick doctor` on that machine.',
      }),
    ),
  ...(audit !== undefined && audit.lost > 0
    ? [
        {
          level: 'warn',
          text: `${audit.lost} records of the audit had no room`,
          todo: 'Look for who is refused so often: `tallystick audit`.',
        } as const,
      ]
    : []),
  ...Object.entries(callsDropped).map(
    ([account, calls]): Trouble => ({
      level: 'warn',
      text: `${calls} calls of ${account} were not stored: their connections had closed`,
      todo: 'Look at that client.',
    }),
  ),
  ...(typeof certificateEnds === 'string' && certificateTime(certificateEnds) - nowMs < SOON_MS
    ? [
        {
          level: 'warn',
          text: `The certificate ends at ${certificateEnds}`,
          todo: 'Put a new one in its place.',
        } as const,
      ]
    : []),
];

/** What is wrong, the worst first. */
export const troublesOf = (status: BrokerStatus, dead: number, nowMs: number): readonly Trouble[] => {
  const letters: readonly Trouble[] =
    dead === 0
      ? []
      : [
          {
            level: 'warn',
            text: `${dead === 100 ? '100 or more' : dead} dead letters wait for a redrive`,
            todo: 'Read one, mend its module, and redrive it.',
            link: ['waits'],
          },
        ];
  const all = [...ofLog(status), ...ofModules(status), ...letters, ...ofMachine(status, nowMs)];
  return [...all.filter(({ level }) => level === 'bad'), ...all.filter(({ level }) => level === 'warn')];
};
