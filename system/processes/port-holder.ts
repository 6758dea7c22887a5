import { execFile } from 'node:child_process';
import { readFile, readdir, readlink } from 'node:fs/promises';
import { processCommand } from './process-identity.js';

export interface PortHolder {
  readonly pid: number;
  /** The command line. */
  readonly command: string;
}

/** The name of a program in its command line: enough for a sentence, where the whole line would hide the rest. */
export const programOf = (command: string): string => command.split(' ')[0]?.split('/').pop() ?? command;

const LISTEN = '0A';

/** The inodes of the sockets that listen on a port, from /proc/net/tcp and tcp6 (columns: see proc(5)). */
const listeningInodes = async (port: number): Promise<ReadonlySet<string>> => {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  const rows = tables.flatMap((table) => table.split('\n').slice(1)).map((line) => line.trim().split(/\s+/));
  return new Set(
    rows.flatMap(([, local, , state, , , , , , inode]) =>
      state === LISTEN && local?.endsWith(`:${hexPort}`) && inode !== undefined ? [inode] : [],
    ),
  );
};

const holdsOneOf = async (pid: string, inodes: ReadonlySet<string>): Promise<boolean> => {
  const dir = `/proc/${pid}/fd`;
  // Processes of other users do not show their descriptors, and any process may end during the look.
  for (const fd of await readdir(dir).catch(() => [])) {
    const target = await readlink(`${dir}/${fd}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
};

const linuxHolder = async (port: number): Promise<number | undefined> => {
  const inodes = await listeningInodes(port);
  if (inodes.size === 0) return undefined;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (await holdsOneOf(pid, inodes)) return Number(pid);
  }
  return undefined;
};

const lsofHolder = (port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const args = ['-nP', '-t', `-iTCP:${port}`, '-sTCP:LISTEN'];
    execFile('lsof', args, { timeout: 5000 }, (_error, stdout) => {
      const pid = Number.parseInt(stdout, 10);
      resolve(Number.isNaN(pid) ? undefined : pid);
    });
  });

/**
 * The process that listens on a TCP port of this machine, on any address. Undefined if none does, or if it belongs to
 * another user and the system does not show it. For messages to people: it may have changed when they read it.
 */
export const portHolder = async (port: number): Promise<PortHolder | undefined> => {
  const pid = await (process.platform === 'linux' ? linuxHolder(port) : lsofHolder(port));
  const command = pid === undefined ? undefined : processCommand(pid);
  return pid === undefined || command === undefined ? undefined : { pid, command };
};
