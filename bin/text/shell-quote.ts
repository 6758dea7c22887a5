/** In single quotes, only the single quote itself has a meaning for a POSIX shell. */
export const shellQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
