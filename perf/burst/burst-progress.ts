import type { Moment } from './timeline.js';

/** Who looks on. */
export interface BurstView {
  readonly stage: (text: string) => void;
  readonly moment: (moment: Moment, part: string) => void;
  readonly fault: (text: string) => void;
}
