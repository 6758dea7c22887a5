import Type, { type Static } from 'typebox';
import { covers, type Heard, HeardSchema } from './heard-events.js';

const Sequence = Type.Integer({ minimum: 0 });

/**
 * A stretch of the log in which a module listens to some events. They are due after `after`, up to `upTo`. Those after
 * `first` up to `after` were delivered before this record.
 */
const HeardStretchSchema = Type.Object({
  events: Type.String(),
  action: HeardSchema.properties.action,
  agent: HeardSchema.properties.agent,
  first: Sequence,
  after: Sequence,
  /** null: no end. here: it ends with this record. */
  upTo: Type.Union([Sequence, Type.Null(), Type.Literal('here')]),
});
type RecordedStretch = Readonly<Static<typeof HeardStretchSchema>>;
export interface HeardStretch extends RecordedStretch {
  readonly upTo: number | null;
}

/** The payload of the record that says what a module listens to from then on. */
export const HearingRecordSchema = Type.Object({
  listener: Type.String(),
  stretches: Type.Immutable(Type.Array(HeardStretchSchema)),
});
export type HearingRecord = Readonly<Static<typeof HearingRecordSchema>>;

/** The stretches of a record at a sequence of the log, with their ends in numbers. */
export const stretchesAt = ({ stretches }: HearingRecord, seq: number): readonly HeardStretch[] =>
  stretches.map(({ upTo, ...stretch }) => ({ ...stretch, upTo: upTo === 'here' ? seq : upTo }));

const isExact = ({ events }: HeardStretch): boolean => !events.endsWith('.>');

/** Of two that are due for the same event: one that goes on before one that has ended, an exact one before the rest. */
const rank = (stretch: HeardStretch): number => (stretch.upTo === null ? 2 : 0) + (isExact(stretch) ? 1 : 0);

/** The stretch by which an event is due; undefined: it is not due, or was delivered before the record. */
export const dueBy = (
  stretches: readonly HeardStretch[],
  event: string,
  seq: number,
): HeardStretch | undefined => {
  let found: HeardStretch | undefined;
  for (const stretch of stretches) {
    if (!covers(stretch.events, event)) continue;
    const { first, after, upTo } = stretch;
    if (seq > first && seq <= after) return undefined;
    const isDue = seq > after && (upTo === null || seq <= upTo);
    if (isDue && (found === undefined || rank(stretch) > rank(found))) found = stretch;
  }
  return found;
};

/** Everything up to here is delivered, or was never due. */
export const floorOf = (stretches: readonly HeardStretch[]): number =>
  stretches.reduce(
    (floor, { after, upTo }) => (upTo === null || upTo > after ? Math.min(floor, after) : floor),
    Number.POSITIVE_INFINITY,
  );

/** What was delivered of stretches by now: all that was due up to `floor`. */
const movedTo = (stretches: readonly HeardStretch[], floor: number): readonly HeardStretch[] =>
  stretches.map((stretch) => {
    const { after, upTo } = stretch;
    const to = Math.max(after, upTo === null ? floor : Math.min(floor, upTo));
    return { ...stretch, after: to };
  });

/** Two neighbours of the same events, as one: only what was delivered counts of those that are over. */
const joined = (over: readonly HeardStretch[]): readonly HeardStretch[] => {
  const result: HeardStretch[] = [];
  for (const stretch of over.toSorted((a, b) => a.first - b.first)) {
    const same = result.findIndex(
      ({ events, after, upTo }) => events === stretch.events && after >= stretch.first && upTo === after,
    );
    const last = result[same];
    if (last === undefined) result.push(stretch);
    else {
      const after = Math.max(last.after, stretch.after);
      result[same] = { ...last, after, upTo: after };
    }
  }
  return result;
};

/** Where an entry begins when it is loaded for the first time, the log then standing at `lastSeq`. */
const beginOf = (from: Heard['from'], lastSeq: number): number => {
  if (from === 'start') return 0;
  return from === undefined || from === 'now' ? lastSeq : from - 1;
};

export interface NextHearing {
  readonly on: Readonly<Record<string, Heard>>;
  /** The stretches of the last record. */
  readonly before: readonly HeardStretch[];
  /** All that was due by them up to here is delivered. */
  readonly floor: number;
  /** Where the log stands. */
  readonly lastSeq: number;
}

const isSame = (stretch: HeardStretch, { action, agent }: Heard): boolean =>
  stretch.action === action && stretch.agent === agent;

/**
 * The stretches from a new record on; undefined: nothing has changed. An entry that was there goes on where it is. One
 * that is not there any more ends with the record. A new one begins where it says, and never hears again what the
 * module has heard.
 */
export const nextHearing = ({
  on,
  before,
  floor,
  lastSeq,
}: NextHearing): HearingRecord['stretches'] | undefined => {
  const going = new Map(before.filter(({ upTo }) => upTo === null).map((each) => [each.events, each]));
  const names = Object.keys(on);
  const isUnchanged =
    names.length === going.size &&
    names.every((events) => {
      const stretch = going.get(events);
      return stretch !== undefined && isSame(stretch, on[events] as Heard);
    });
  if (isUnchanged) return undefined;
  const moved = movedTo(before, floor);
  const isHeard = ({ events, upTo }: HeardStretch): boolean => upTo === null && Object.hasOwn(on, events);
  const left = moved.filter((stretch) => !isHeard(stretch));
  const over = left.filter(({ after, upTo }) => upTo === after);
  const ending = left
    .filter(({ after, upTo }) => upTo !== after)
    .map((stretch) => ({ ...stretch, upTo: stretch.upTo ?? ('here' as const) }));
  const now = names.map((events): HeardStretch => {
    const { action, agent, from } = on[events] as Heard;
    const stretch = moved.find((each) => each.events === events && isHeard(each));
    const begin = beginOf(from, lastSeq);
    const { first, after } = stretch ?? { first: begin, after: begin };
    return { events, action, ...(agent === undefined ? {} : { agent }), first, after, upTo: null };
  });
  return [...joined(over.filter(({ first, after }) => after > first)), ...ending, ...now];
};
