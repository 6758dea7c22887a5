const DOT = 46;
const NAME_LENGTH = 64;

const IS_NAME = new Uint8Array(256);
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-')
  IS_NAME[c.charCodeAt(0)] = 1;

/** Part of some bytes. */
export interface ByteSpan {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

const startsWith = (subject: ByteSpan, at: number, module: ByteSpan): boolean => {
  const length = module.to - module.from;
  if (subject.to - at <= length || subject.bytes[at + length] !== DOT) return false;
  for (let i = 0; i < length; i++) if (subject.bytes[at + i] !== module.bytes[module.from + i]) return false;
  return true;
};

/**
 * Whether a result of this module can have such a copy, as far as the log alone shows it: a command that has names
 * where names must be, or an event of the module itself. `evt.` or `cmd.` has been looked at.
 */
export const isCopySubject = (subject: ByteSpan, module: ByteSpan): boolean => {
  const { bytes, from, to } = subject;
  const isEvent = bytes[from] === 101;
  if (isEvent && !startsWith(subject, from + 4, module)) return false;
  let parts = 0;
  let length = 0;
  for (let at = from + 4; at <= to; at++) {
    const byte = at < to ? (bytes[at] as number) : DOT;
    if (IS_NAME[byte] === 1) length += 1;
    else if (byte !== DOT || length === 0 || length > NAME_LENGTH) return false;
    else {
      parts += 1;
      length = 0;
    }
  }
  return parts === 2 || parts === 3;
};
