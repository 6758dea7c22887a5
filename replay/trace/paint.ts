import { type Colour, inColour } from '../../text/colour.js';
import type { TraceOutcome } from './trace-outcome.js';

/** Writes text in the colour of what it says. */
export type Paint = Readonly<
  Record<TraceOutcome | 'plain' | 'strong' | 'dim' | 'evt', (text: string) => string>
>;

const COLOURS = {
  ok: 'green',
  rejected: 'yellow',
  failed: 'red',
  expired: 'magenta',
  open: 'boldRed',
  unreadable: 'red',
  strong: 'bold',
  dim: 'dim',
  evt: 'yellow',
} as const satisfies Record<Exclude<keyof Paint, 'plain'>, Colour>;

export const painter = (isOn: boolean): Paint => {
  const as = (name: keyof typeof COLOURS) => (text: string) => inColour(isOn, COLOURS[name], text);
  return {
    plain: (text) => text,
    ok: as('ok'),
    rejected: as('rejected'),
    failed: as('failed'),
    expired: as('expired'),
    open: as('open'),
    unreadable: as('unreadable'),
    strong: as('strong'),
    dim: as('dim'),
    evt: as('evt'),
  };
};
