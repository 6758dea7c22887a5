import type { Either } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type {
  CancelledReply,
  StartReply,
  StartRequest,
  CallsReply,
  StepReply,
  WakesReply,
} from '../../schemas/control.js';
import type { LogLevel } from '../../schemas/log-lines.js';
import type { Fault } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import type { UserKey } from '../../link/nkey.js';
import type { ProcessLine } from '../../system/lines/process-line.js';
import type { Reaper } from '../../system/processes/reaper.js';
import type { ModuleConfigs } from '../config/module-configs.js';
import type { EpochPace } from './epoch-pace.js';
import type { HostSpare } from './host-spare.js';
import type { ModuleSource } from './manifest-file.js';
import type { ModuleCages } from './module-cages.js';

/** What a module needs of the broker around it. */
export interface ModuleSurroundings {
  readonly hostEntry: string;
  readonly natsUrl: string;
  readonly snapshotsDir: (module: string) => string;
  /** Hosts that wait for a module; undefined: each start begins with a new process. */
  readonly spare: HostSpare | undefined;
  readonly cages: ModuleCages;
  /** The configuration of modules; undefined: no module has one. */
  readonly configs?: Pick<ModuleConfigs, 'forProcess' | 'checkStart' | 'of' | 'forget'> | undefined;
  /** Hears of each manifest, before its module runs. */
  readonly learn?: (manifest: Manifest) => void;
  /** JSON of the keys of the agents of a module that encrypts; left: they are lost. */
  readonly keysOf?: (module: string) => Either<Fault, string | undefined>;
  readonly reaper: Reaper;
  /** Where a debugger may attach to the module; undefined: nowhere. */
  readonly inspectPort: (module: string) => number | undefined;
  readonly grant: (manifest: Manifest) => TaskEither<Fault, UserKey>;
  /** Closes all connections of a module at once; nobody gets in again with its credential. */
  readonly cut: (manifest: Manifest) => TaskEither<Fault, unknown>;
  /** How fast a module may open epochs. */
  readonly newPace: () => EpochPace;
  readonly revoke: (module: string) => TaskEither<Fault, void>;
  /** Opens the module's next epoch and prepares its consumers. */
  readonly start: (manifest: Manifest, request: StartRequest) => TaskEither<Fault, StartReply>;
  /** The module has read its past and handles commands. */
  readonly started: (module: string) => TaskEither<Fault, unknown>;
  /**
   * Runs the code of a module apart from the one that runs, without a right to anything. Left: what is wrong with it.
   */
  readonly tryOut: (source: ModuleSource) => TaskEither<Fault, void>;
  /** Stores what a module that stays down has left undone. */
  readonly repair: (manifest: Manifest) => TaskEither<Fault, unknown>;
  /** The same; and from then on the index has read all that the module ever stored. */
  readonly settle: (manifest: Manifest) => TaskEither<Fault, void>;
  /** What the log has of the calls and the cancel of the handler of a command, the log being read up to `fromSeq`. */
  readonly recordedCalls: (module: string, cause: number, fromSeq: number) => TaskEither<Fault, CallsReply>;
  /** What the log has of the handler of a command at a number, likewise. */
  readonly recordedStep: (
    module: string,
    cause: number,
    call: number,
    fromSeq: number,
  ) => TaskEither<Fault, StepReply>;
  /** The wakes of its handlers behind a sequence, when there are some, or none after a while. */
  readonly wakesAfter: (module: string, after: number) => TaskEither<Fault, WakesReply>;
  /** Commands of a module that are cancelled and have no result, behind a sequence. */
  readonly cancelled?: (module: string, after: number) => CancelledReply;
  /** How many commands of a module have no result. */
  readonly waiting: (module: string) => number;
  /** The module is no more known; resolves when its commands that waited are answered. */
  readonly forgotten: (module: string) => Promise<void>;
  /**
   * Since when the connection to the server stands, by the clock of `performance.now()`; undefined while it does not.
   */
  readonly linkedSince: () => number | undefined;
  /**
   * Resolves when the server has answered, and all that it had sent before is here; rejects when the connection is
   * lost.
   */
  readonly serverAnswers: () => Promise<void>;
  readonly log: (module: string, text: string, level?: LogLevel) => void;
  /** A line that the module itself printed. */
  readonly output: (module: string, line: ProcessLine) => void;
}
