import type { LoadMoment } from '../../schemas/burst.js';

/** Who looks on. */
export interface BurstView {
  readonly stage: (text: string) => void;
  readonly moment: (moment: LoadMoment, part: string) => void;
  readonly fault: (text: string) => void;
}
