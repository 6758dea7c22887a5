import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';

/** Where the checksum of a cached server is noted: next to it, by who installed it. */
export const pinPath = (binary: string): string => `${binary}.sha256`;

/** Where a broker notes the same for itself: who can write the cache can write the note there too. */
export const ownPinPath = (dir: string, binary: string): string => pinPath(join(dir, basename(binary)));

export const checksumOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
};

const SUM = /^[0-9a-f]{64}$/;

/** What is noted; undefined: nothing. What is no checksum is one that nothing has. */
const notedIn = async (path: string): Promise<string | undefined> => {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    return SUM.test(text) ? text : `no checksum, but ${text.length} characters`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

/** Notes the checksum of a server that was just made or tried. */
export const notePin = async (path: string, sum: string): Promise<void> => {
  const made = `${path}.${process.pid}`;
  await writeFile(made, `${sum}\n`, { mode: 0o600 });
  await rename(made, path);
};

const changed = (binary: string, sum: string, pin: string, noted: string): Fault => {
  const said = `${binary} is not the nats-server that was used before: its checksum is ${sum}, and ${pin} says ${noted}`;
  return fault(
    'SERVER_CHANGED',
    `${said}. If you do not know why, keep it for a look. Remove both files to get another`,
  );
};

/**
 * Compares a cached server with the checksums that were noted of it, before it is run. It notes the checksum where
 * there is none yet. `SERVER_CHANGED` names the file and what to do. What is not there has no checksum.
 */
export const checkPins = async (
  binary: string,
  pins: readonly string[],
): Promise<Either<Fault, () => Promise<void>>> => {
  try {
    const sum = await checksumOf(binary);
    const missing: string[] = [];
    for (const pin of pins) {
      const noted = await notedIn(pin);
      if (noted === undefined) missing.push(pin);
      else if (noted !== sum) return left(changed(binary, sum, pin, noted));
    }
    return right(async () => {
      // A cache that can only be read has no note. Then the broker's own holds.
      await Promise.allSettled(missing.map((pin) => notePin(pin, sum)));
    });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? right(() => Promise.resolve())
      : left(fault('SERVER_NOT_FOUND', `${binary} cannot be compared: ${(error as Error).message}`));
  }
};
