import type { StreamConfig } from '@nats-io/jetstream';

interface Requirement {
  readonly setting: string;
  /** What is wanted, first, and what means the same; `undefined` is a setting that the server does not report. */
  readonly good: readonly unknown[];
  /** What a record is lost by otherwise. */
  readonly otherwise: string;
  /** How it is set on a stream that is there; undefined where the server does not allow it. */
  readonly remedy?: string;
}

const UNLIMITED = [-1, 0, undefined];
const OFF = [false, undefined];
const NONE = [null, undefined];

const edit = (flags: string): string => `\`nats stream edit LOG ${flags}\``;

/**
 * What a stream must be that keeps what it acknowledged (I1). A stream that breaks one of these was made or changed by
 * another program, and may have dropped records already: the broker names it and does not change it silently.
 */
const REQUIREMENTS: readonly Requirement[] = [
  { setting: 'storage', good: ['file'], otherwise: 'it is gone when the server ends' },
  {
    setting: 'persist_mode',
    good: ['default', undefined],
    otherwise: 'records are acknowledged before they are written',
  },
  { setting: 'no_ack', good: OFF, otherwise: 'nothing is acknowledged', remedy: edit('--ack') },
  {
    setting: 'discard',
    good: ['new'],
    otherwise: 'a full log forgets its oldest records',
    remedy: edit('--discard new'),
  },
  {
    setting: 'discard_new_per_subject',
    good: OFF,
    otherwise: 'an agent that has many records gets no more',
    remedy: edit('--no-discard-per-subject'),
  },
  { setting: 'retention', good: ['limits'], otherwise: 'records go when they are acknowledged' },
  {
    setting: 'max_age',
    good: [0, undefined],
    otherwise: 'records go when they are old',
    remedy: edit('--max-age 0'),
  },
  {
    setting: 'max_msgs',
    good: UNLIMITED,
    otherwise: 'records go when there are more',
    remedy: edit('--max-msgs=-1'),
  },
  {
    setting: 'max_msgs_per_subject',
    good: UNLIMITED,
    otherwise: 'records go when an agent has more',
    remedy: edit('--max-msgs-per-subject=-1'),
  },
  { setting: 'allow_msg_ttl', good: OFF, otherwise: 'a sender can have its record removed' },
  {
    setting: 'allow_rollup_hdrs',
    good: OFF,
    otherwise: 'a sender can have all records before its own removed',
    remedy: edit('--no-allow-rollup'),
  },
  {
    setting: 'allow_msg_schedules',
    good: OFF,
    otherwise: 'the server lets records be purged',
  },
  { setting: 'sealed', good: OFF, otherwise: 'it takes no record' },
  {
    setting: 'mirror',
    good: NONE,
    otherwise: 'it takes no record but those of another stream',
  },
  {
    setting: 'subject_transform',
    good: NONE,
    otherwise: 'records are stored on other subjects',
    remedy: edit('--no-transform'),
  },
];

/**
 * What of a stream's configuration breaks the durability that the broker promises, in words; empty when nothing does.
 */
export const breaksDurability = (config: StreamConfig): readonly string[] =>
  REQUIREMENTS.flatMap(({ setting, good, otherwise, remedy }) => {
    const is: unknown = config[setting as keyof StreamConfig];
    if (good.includes(is)) return [];
    const how =
      remedy === undefined
        ? '`nats stream edit` cannot change it: back the stream up (`nats stream backup`), remove it, and the broker makes a new one'
        : `set it by ${remedy}`;
    return [
      `${setting} is ${JSON.stringify(is)}, needed ${JSON.stringify(good[0])}, otherwise ${otherwise}; ${how}`,
    ];
  });
