import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import {
  CAGE_HOLDS,
  CAGE_LACKS,
  CAGE_LAYERS,
  type CageLayer,
  type CageMode,
  type CageStatus,
} from '../../schemas/cage.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { packageRoot } from '../files/package-root.js';
import { type Kernel, whyMissing } from './kernel-layers.js';

/** The script that closes the cage around a process. See docs/decisions. */
export const LAUNCHER = join(packageRoot(), 'system', 'cage', 'launch.pl');
const PERL = 'perl';
const PROBE_MS = 5_000;

/** The layers that this machine has, and the means to close them. */
export interface Cage {
  readonly layers: ReadonlySet<CageLayer>;
  readonly landlock: number;
  readonly perl: string;
}

export interface CageFinding {
  readonly status: CageStatus;
  /** Undefined: processes run without a cage. */
  readonly cage: Cage | undefined;
}

/** Why no layer can be closed, or what the kernel has. */
export type Probed = Either<string, Kernel>;

const run = promisify(execFile);

/** Closes all layers around a process that ends at once. Left: why none can be closed. */
export const probeKernel = async (perl = PERL): Promise<Probed> => {
  if (process.platform !== 'linux') return left(`the cage needs Linux, and this is ${process.platform}`);
  try {
    const { stdout } = await run(perl, [LAUNCHER, `--arch=${process.arch}`, '--probe'], {
      timeout: PROBE_MS,
      env: { PATH: process.env.PATH, PERL_BADLANG: '0' },
    });
    const [, landlock, calls] = /^abi=(\d+) calls=([01])$/m.exec(stdout) ?? [];
    if (landlock === undefined) return left(`the launcher said ${JSON.stringify(stdout)}`);
    return right({ landlock: Number(landlock), calls: calls === '1' });
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { readonly stderr?: string };
    if (code === 'ENOENT') return left('there is no perl on PATH, and the launcher of the cage needs it');
    return left(stderr?.trim().replace(/^Error: /, '') || message);
  }
};

/** Each layer: what it does, or why it is missing and what follows. */
export const cageFinding = (mode: CageMode, probed: Probed, perl = PERL): CageFinding => {
  const missing = (layer: CageLayer): string | undefined =>
    mode === 'off'
      ? 'the cage is off'
      : probed._tag === 'Left'
        ? probed.left
        : whyMissing(layer, probed.right);
  const layers = CAGE_LAYERS.map((layer) => {
    const why = missing(layer);
    const detail = why === undefined ? CAGE_HOLDS[layer] : `${why}: ${CAGE_LACKS[layer]}`;
    return { layer, holds: why === undefined, detail };
  });
  const held = new Set(layers.filter(({ holds }) => holds).map(({ layer }) => layer));
  const cage =
    mode === 'off' || probed._tag === 'Left'
      ? undefined
      : { layers: held, landlock: probed.right.landlock, perl };
  return { status: { mode, layers }, cage };
};

/** What this machine can close. CAGE_INCOMPLETE if a layer is missing and all are required. */
export const findCage = async (mode: CageMode): Promise<Either<Fault, CageFinding>> => {
  const finding = cageFinding(mode, mode === 'off' ? left('') : await probeKernel());
  const lacking = finding.status.layers.filter(({ holds }) => !holds);
  if (mode !== 'required' || lacking.length === 0) return right(finding);
  const list = lacking.map(({ layer, detail }) => `\n  ${layer}: ${detail}`).join('');
  return left(
    fault(
      'CAGE_INCOMPLETE',
      `--cage required: this machine lacks ${lacking.length} layers of the cage${list}`,
    ),
  );
};
