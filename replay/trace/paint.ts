import type { Outcome } from './trace-outcome.js';

/** Writes text in the colour of what it says. */
export type Paint = Readonly<Record<Outcome | 'plain' | 'strong' | 'dim' | 'evt', (text: string) => string>>;

const ESC = '\u001b[';
const CODES = {
  ok: '32',
  rejected: '33',
  failed: '31',
  expired: '35',
  open: '1;31',
  unreadable: '31',
  strong: '1',
  dim: '2',
  evt: '33',
} as const;

const same = (text: string): string => text;

export const painter = (colour: boolean): Paint => {
  const in_ = (code: string) =>
    colour ? (text: string) => (text === '' ? '' : `${ESC}${code}m${text}${ESC}0m`) : same;
  const { ok, rejected, failed, expired, open, unreadable, strong, dim, evt } = CODES;
  return {
    plain: same,
    ok: in_(ok),
    rejected: in_(rejected),
    failed: in_(failed),
    expired: in_(expired),
    open: in_(open),
    unreadable: in_(unreadable),
    strong: in_(strong),
    dim: in_(dim),
    evt: in_(evt),
  };
};
