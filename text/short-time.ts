const TIME = /^\d{4}-(\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/;
const SHORT = /^\d\d-\d\d \d\d:\d\d:\d\d$/;

/** `01-02 03:04:05` for a time in UTC as records have it: it fits a narrow terminal. Other text stays. */
export const shortTime = (text: string): string => text.replace(TIME, '$1 $2');

/** A time in one of the two forms. */
export const isTime = (text: string): boolean => TIME.test(text) || SHORT.test(text);
