import type { AnyEvent } from '../../modules/sdk/checked-outcome.js';
import { printable } from '../../text/printable.js';
import { writeJson } from '../../schemas/write-json.js';
import type { Json } from '../../replay/expression/json-value.js';
import type { Change } from '../../replay/state/changes.js';
import type { AgentStep } from '../../replay/state/state-steps.js';
import { inColour } from '../../text/colour.js';

const COLOURS = { '+': 'green', '-': 'red', '~': 'yellow' } as const;

const jsonText = (value: unknown): string => printable(writeJson(value));

/** `6500 → 7000`, with `nothing` for a missing value. */
export const fromTo = ({ from, to }: { readonly from?: Json; readonly to?: Json }): string =>
  [from, to].map((value) => (value === undefined ? 'nothing' : jsonText(value))).join(' → ');

export const eventText = (events: readonly AnyEvent[]): string =>
  events.map(({ name, data }) => `${printable(name)} ${jsonText(data)}`).join(', ');

/** One line for a change: `+` added, `-` removed, `~` changed. */
export const changeText = (change: Change, colour: boolean): string => {
  const sign = change.from === undefined ? '+' : change.to === undefined ? '-' : '~';
  const what = sign === '~' ? fromTo(change) : jsonText(change.to ?? change.from);
  const line = `${sign} ${change.path === '' ? 'the state' : printable(change.path)}  ${what}`;
  return `  ${inColour(colour, COLOURS[sign], line)}`;
};

/** A step as some lines: its place and its record, then the changes. */
export const stepText = (
  { seq, time, events }: Pick<AgentStep, 'seq' | 'time' | 'events'>,
  changes: readonly Change[],
  colour: boolean,
): string => {
  const lines = changes.map((change) => changeText(change, colour));
  return [`${seq}  ${time}  ${eventText(events)}`, ...(lines.length === 0 ? ['  no change'] : lines)].join(
    '\n',
  );
};
