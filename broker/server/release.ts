import { rename, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type TaskEither, chain } from 'fp-ts/lib/TaskEither.js';
import { pipe } from 'fp-ts/lib/function.js';
import { extract } from 'tar';
import { type Fault, fault } from '../../schemas/errors.js';
import { DOWNLOAD_LIMITS, type DownloadLimits, downloadFile, downloadText } from './download.js';
import type { OnProgress } from './progress.js';

/** Where the project publishes its releases; `TALLYSTICK_RELEASES` names a mirror with the same paths below. */
export const RELEASES = 'https://github.com/nats-io/nats-server/releases/download';

const OS: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'darwin' };
const ARCH: Partial<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  ia32: '386',
  s390x: 's390x',
  arm: 'arm7',
};

export interface ReleaseOptions {
  readonly version: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly limits?: DownloadLimits;
  readonly onProgress?: OnProgress;
  readonly platform?: NodeJS.Platform;
  readonly arch?: string;
}

const refused = (reason: string): Fault => fault('SERVER_NOT_FOUND', reason);

/** The archive of a release for a platform; undefined where none is published. */
export const archiveName = (version: string, platform: NodeJS.Platform, arch: string): string | undefined => {
  const [os, cpu] = [OS[platform], ARCH[arch]];
  return os === undefined || cpu === undefined ? undefined : `nats-server-v${version}-${os}-${cpu}.tar.gz`;
};

/** The sum of one file in a `SHA256SUMS` (lines of `<sum>  <name>`, with `*` before the name of a binary file). */
export const sumOf = (sums: string, name: string): string | undefined =>
  sums
    .split('\n')
    .map((line) => line.trim().split(/\s+\*?/))
    .find(([, file]) => file !== undefined && basename(file) === name)?.[0]
    ?.toLowerCase();

const verify = (url: string, expected: string, actual: string): Either<Fault, void> =>
  expected === actual
    ? right(undefined)
    : left(refused(`${url}: the checksum is wrong: SHA256SUMS says ${expected}, the archive has ${actual}`));

/** Takes `<folder>/nats-server` and nothing else out of the archive. */
const unpack =
  (archive: string, work: string, binary: string): TaskEither<Fault, void> =>
  async () => {
    try {
      await extract({
        file: archive,
        cwd: work,
        strip: 1,
        filter: (path, entry) =>
          /^[^/]+\/nats-server$/.test(path) && 'type' in entry && entry.type === 'File',
      });
      const unpacked = join(work, 'nats-server');
      await stat(unpacked);
      if (unpacked !== binary) await rename(unpacked, binary);
      return right(undefined);
    } catch (error) {
      return left(
        refused(`the archive cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`),
      );
    }
  };

/**
 * Fetches the official release into `binary`, by way of the directory `work`. Nothing is unpacked before its sum is
 * right. The sums come from the same place as the archive: they tell damage and truncation, and TLS tells the sender.
 */
export const fetchRelease =
  (options: ReleaseOptions) =>
  (binary: string, work: string): TaskEither<Fault, void> => {
    const { version, env = process.env, limits = DOWNLOAD_LIMITS, onProgress = () => undefined } = options;
    const { platform = process.platform, arch = process.arch } = options;
    const name = archiveName(version, platform, arch);
    if (name === undefined)
      return async () => left(refused(`there is no official release for ${platform} ${arch}`));
    const base = `${(env.TALLYSTICK_RELEASES || RELEASES).replace(/\/+$/, '')}/v${version}`;
    const url = `${base}/${name}`;
    const archive = join(work, 'nats-server.tar.gz');
    const message = `fetching nats-server ${version}`;
    const onBytes = (done: number, total: number | undefined): void =>
      onProgress({ stage: 'download', done, message, ...(total === undefined ? {} : { total }) });
    return pipe(
      // The sums first: they are small, so a wrong address or a machine without internet shows at once.
      async () => {
        onProgress({ stage: 'download', message: `${message} from ${base}` });
        const sums = await downloadText(`${base}/SHA256SUMS`, limits)();
        if (isLeft(sums)) return sums;
        const sum = sumOf(sums.right, name);
        return sum === undefined ? left(refused(`${base}/SHA256SUMS has no line for ${name}`)) : right(sum);
      },
      chain((expected) => async () => {
        const actual = await downloadFile(url, archive, limits, onBytes)();
        if (isLeft(actual)) return actual;
        onProgress({ stage: 'verify', message: `comparing the checksum of ${name}` });
        return verify(url, expected, actual.right);
      }),
      chain(() => async () => {
        onProgress({ stage: 'unpack', message: `unpacking ${name}` });
        return unpack(archive, work, binary)();
      }),
    );
  };
