import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CageLayer } from '../../../schemas/cage.js';
import type { Act } from '../../fixtures/modules/hostile/acts.js';

/** An act, and the layer of the cage that refuses it. */
export interface HostileAct {
  readonly what: string;
  readonly layer: CageLayer;
  readonly act: Act;
}

export interface Victims {
  readonly dataDir: string;
  readonly broker: number;
  readonly server: number;
  /** The process of another module. */
  readonly other: number;
  /** A TCP port and a socket where the test listens. */
  readonly port: number;
  readonly socket: string;
  /** A file in a directory that has nothing to do with the broker. */
  readonly file: string;
}

/** Numbers of system calls that Node has no function for. */
const CALLS = {
  x64: { prlimit: 302, unshare: 272, socket: 41, setsid: 112 },
  arm64: { prlimit: 261, unshare: 97, socket: 198, setsid: 157 },
};
const NEW_USER = 0x10000000;

const ofFiles = ({ dataDir, broker, server, other, file }: Victims): readonly HostileAct[] => {
  const at = (...names: readonly string[]): string => join(dataDir, ...names);
  const store = readdirSync(at('server', 'store'))[0] ?? '';
  const acts: readonly (readonly [string, Act])[] = [
    ["reads the operator's key", ['read', at('keys', 'operator.nk')]],
    ['lists the keys', ['list', at('keys')]],
    ['plants a key', ['create', at('keys', 'planted.nk')]],
    ['writes the witness', ['write', at('witness')]],
    ['removes the witness', ['remove', at('witness')]],
    ['writes the address of the broker', ['write', at('broker.json')]],
    ['lists the store of the server', ['list', at('server', 'store', store)]],
    ['plants a file in the store', ['create', at('server', 'store', store, 'planted')]],
    ['reads the configuration of the server', ['read', at('server', 'nats-server.conf')]],
    ['plants a file in the index', ['create', at('index', 'planted')]],
    ['lists the snapshots of another module', ['list', at('snapshots', 'accounts')]],
    ['plants a snapshot of another module', ['create', at('snapshots', 'accounts', 'planted')]],
    ['reads a file elsewhere', ['read', file]],
    ['writes a file elsewhere', ['write', file]],
    ['removes a file elsewhere', ['remove', file]],
    [
      "changes its own host's code",
      ['write', join(import.meta.dirname, '..', '..', '..', 'modules', 'host', 'host-main.js')],
    ],
    ['reads the environment of the broker', ['read', `/proc/${broker}/environ`]],
    ['reads the environment of another module', ['read', `/proc/${other}/environ`]],
    ['reads the memory of the broker', ['read', `/proc/${broker}/mem`]],
    ['writes the memory of the broker', ['write', `/proc/${broker}/mem`]],
    ['reads the memory of the server', ['read', `/proc/${server}/mem`]],
    ['reads the map of the memory of the broker', ['read', `/proc/${broker}/maps`]],
    ['reads an open file of the broker', ['read', `/proc/${broker}/fd/0`]],
    [
      'reads the data directory through the broker',
      ['read', `/proc/${broker}/root${at('keys', 'operator.nk')}`],
    ],
  ];
  return acts.map(([what, act]) => ({ what, layer: 'files', act }));
};

const ofSignals = ({ broker, server, other }: Victims): readonly HostileAct[] => {
  const acts: readonly (readonly [string, Act])[] = [
    ['opens the inspector of the broker', ['signal', broker, 'SIGUSR1']],
    ['kills another module', ['signal', other, 'SIGKILL']],
    ['kills the server', ['signal', server, 'SIGKILL']],
    ['kills the broker', ['signal', broker, 'SIGKILL']],
  ];
  return acts.map(([what, act]) => ({ what, layer: 'signals', act }));
};

const ofCalls = ({ broker, socket, file }: Victims): readonly HostileAct[] => {
  const { prlimit, unshare, socket: newSocket, setsid } = CALLS[process.arch as keyof typeof CALLS];
  const acts: readonly (readonly [string, Act])[] = [
    ['connects to a socket in the file system', ['socket', socket]],
    ['changes the mode of a file elsewhere', ['chmod', file]],
    ['changes the times of a file elsewhere', ['utimes', file]],
    [
      'takes the open files of the broker',
      ['system-call', `syscall(${prlimit}, ${broker}, 7, pack('QQ', 9000, 9000), 0)`],
    ],
    ['makes a user namespace', ['system-call', `syscall(${unshare}, ${NEW_USER})`]],
    [
      'opens a socket of a protocol that no layer watches',
      ['system-call', `syscall(${newSocket}, 2, 1, 262)`],
    ],
    ['gets a separate session', ['system-call', `syscall(${setsid})`]],
  ];
  return acts.map(([what, act]) => ({ what, layer: 'calls', act }));
};

/** More than a file of a module may have: the kernel stores no byte of it. */
const HUGE = 2 ** 42;

/** Every act that an assessment found open, and their relatives. The kill of the broker is the last one. */
export const hostileActs = (victims: Victims): readonly HostileAct[] => [
  ...ofCalls(victims),
  ...ofFiles(victims),
  { what: 'connects to a port that is not the server', layer: 'ports', act: ['connect', victims.port] },
  { what: 'listens on a port', layer: 'ports', act: ['listen', 0] },
  { what: 'makes a file of 4 TiB', layer: 'limits', act: ['grow', HUGE] },
  ...ofSignals(victims),
];
