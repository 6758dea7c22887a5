import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { get } from 'node:http';
import { pause } from '../../system/async/pause.js';

/** Of one request for samples, seconds: a server that ends meanwhile loses them. */
const CHUNK_SECONDS = 1;
/** The first port of those that servers listen on for requests of their samples. */
const FIRST_PORT = 40_000;
const PORTS = 20_000;
const LOOK_MS = 50;

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * Writes a program that starts a nats-server which gives samples on a port. The port follows from the process id, and a
 * file has it in its name. The program passes on what starts no server, such as `--version`.
 */
export const writeServerProgram = (dir: string, server: string): string => {
  const path = join(dir, 'nats-server');
  const lines = [
    '#!/bin/sh',
    'case " $* " in *" -c "*|*" --config "*|*" -p "*|*" --port "*) ;;',
    `*) exec ${quoted(server)} "$@" ;; esac`,
    `port=$((${FIRST_PORT} + $$ % ${PORTS}))`,
    `: > ${quoted(dir)}/"$$-$port.server"`,
    `exec ${quoted(server)} "$@" --profile "$port"`,
    '',
  ];
  writeFileSync(path, lines.join('\n'));
  chmodSync(path, 0o755);
  return path;
};

/** Samples of a second, gzip; undefined: the server is not there, or is no more. */
const samplesOf = (port: number): Promise<Uint8Array | undefined> =>
  new Promise((resolve) => {
    const url = `http://127.0.0.1:${port}/debug/pprof/profile?seconds=${CHUNK_SECONDS}`;
    const request = get(url, { agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', () => resolve(undefined));
      response.on('end', () => resolve(response.statusCode === 200 ? Buffer.concat(parts) : undefined));
    });
    request.on('error', () => resolve(undefined));
  });

export interface SampledServer {
  readonly pid: number;
  readonly chunks: readonly Uint8Array[];
}

/** Takes samples of all servers that the program of {@link writeServerProgram} starts. */
export class ServerProfiles {
  readonly #servers = new Map<string, { readonly pid: number; readonly chunks: Uint8Array[] }>();
  readonly #taking: Promise<void>[] = [];
  #isOver = false;

  constructor(private readonly dir: string) {}

  /** Finds servers that have started since. */
  look(): void {
    for (const name of readdirSync(this.dir)) {
      const [, pid, port] = /^(\d+)-(\d+)\.server$/.exec(name) ?? [];
      if (pid === undefined || port === undefined || this.#servers.has(name)) continue;
      const chunks: Uint8Array[] = [];
      this.#servers.set(name, { pid: Number(pid), chunks });
      this.#taking.push(this.#take(Number(pid), Number(port), chunks));
    }
  }

  async end(): Promise<readonly SampledServer[]> {
    this.#isOver = true;
    await Promise.all(this.#taking);
    return [...this.#servers.values()];
  }

  async #take(pid: number, port: number, chunks: Uint8Array[]): Promise<void> {
    while (!this.#isOver) {
      const samples = await samplesOf(port);
      if (samples !== undefined) {
        chunks.push(samples);
        continue;
      }
      try {
        process.kill(pid, 0);
      } catch {
        return;
      }
      await pause(LOOK_MS);
    }
  }
}
