/**
 * What the reason of a skipped test begins with when the machine lacks what it needs, such as the right to mount: the run
 * tells of each, and is green all the same. Every other skip is not.
 */
export const NOT_HERE = 'not on this machine: ';

export const notHere = (why: string | undefined): string | undefined =>
  why === undefined ? undefined : `${NOT_HERE}${why}`;
