/** A time: RFC 3339, a Date, or milliseconds since 1970. */
export type SleepTime = string | number | Date;
