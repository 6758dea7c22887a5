/** Put in the place of a hidden text. */
const HIDDEN = '(sensitive)';

/** A shorter text stands in too many other words. */
const MIN_LENGTH = 4;
/** A line of a longer text, such as a key in PEM. */
const MIN_LINE = 8;

/** How a text may be printed: as it is, as a part of JSON, and line by line. */
const formsOf = (text: string): readonly string[] => {
  const lines = text.split(/\r?\n/);
  const whole = [text, JSON.stringify(text).slice(1, -1)].filter(({ length }) => length >= MIN_LENGTH);
  return [...whole, ...(lines.length > 1 ? lines.filter(({ length }) => length >= MIN_LINE) : [])];
};

/** Hides secrets in a text, so that they do not reach a log. */
export type HideTexts = (text: string) => string;

/** A function that hides each occurrence of these texts. Undefined: none of them can be hidden. */
export const hiddenTexts = (texts: readonly string[]): HideTexts | undefined => {
  // The longest first: one may be a part of another.
  const forms = [...new Set(texts.flatMap(formsOf))].sort((a, b) => b.length - a.length);
  if (forms.length === 0) return undefined;
  return (text) => forms.reduce((hidden, form) => hidden.split(form).join(HIDDEN), text);
};
