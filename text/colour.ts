const ESC = '\u001b[';

/** Colours by the numbers that terminals know them by. */
export const COLOUR = {
  bold: '1',
  dim: '2',
  red: '31',
  green: '32',
  yellow: '33',
  blue: '34',
  magenta: '35',
  cyan: '36',
  boldRed: '1;31',
} as const;

export type Colour = keyof typeof COLOUR;

/** Text in a colour, where the terminal is to show colours. */
export const inColour = (isOn: boolean, colour: Colour, text: string): string =>
  isOn && text !== '' ? `${ESC}${COLOUR[colour]}m${text}${ESC}0m` : text;

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';

/**
 * `FORCE_COLOR`, unless it is 0, is for pipes that end on a screen (`| less -R`); `NO_COLOR` is for screens without.
 */
export const wantsColour = (isTty: boolean, { FORCE_COLOR, NO_COLOR, TERM }: NodeJS.ProcessEnv): boolean => {
  if (isSet(FORCE_COLOR)) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return isTty && !isSet(NO_COLOR) && TERM !== 'dumb';
};
