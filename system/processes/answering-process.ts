import { type ChildProcess, execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, read, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { frameOf, HEAD_BYTES, MAX_FRAME_BYTES } from './frames.js';

const readSome = promisify(read);

/** The process gave no answer, and is gone. */
export class ProcessGone extends Error {
  constructor(readonly how: string) {
    super(`its process ${how}`);
  }
}

/** A thread that ends the process if one answer takes too long: this thread waits for it, and can do nothing. */
const WATCH = `const { workerData: { until, pid } } = require('node:worker_threads');
setInterval(() => {
  const at = Number(Atomics.load(until, 0));
  if (at === 0 || Date.now() < at) return;
  Atomics.store(until, 1, 1n);
  try { process.kill(pid, 'SIGKILL'); } catch {}
}, 250);`;

interface Pipes {
  /** Descriptors of the process: questions come by the first one, answers go to the second one. */
  readonly child: readonly [number, number];
  readonly ask: number;
  readonly hear: number;
  /** Closes what only the process needs: its end is then the end of the answers. */
  readonly release: () => void;
}

/** Pipes with names, for those that Node makes cannot be waited for. */
const openPipes = (): Pipes => {
  const dir = mkdtempSync(join(tmpdir(), 'tallystick-pipes-'));
  try {
    const [questions, answers] = [join(dir, 'questions'), join(dir, 'answers')];
    execFileSync('mkfifo', ['-m', '600', questions, answers]);
    // One that is open for both waits for nobody. Without it, each of the others would wait for its other end.
    const both = [openSync(questions, 'r+'), openSync(answers, 'r+')];
    const child = [openSync(questions, 'r'), openSync(answers, 'w')] as const;
    const release = (): void => {
      for (const fd of [...both, ...child]) closeSync(fd);
    };
    return { child, release, ask: openSync(questions, 'w'), hear: openSync(answers, 'r') };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
};

/**
 * A process that answers questions, one after the other, while this thread waits: what folds a state is a function, and
 * not a promise. A process that takes too long is killed.
 */
export class AnsweringProcess {
  readonly #until = new BigInt64Array(new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT));
  readonly #ended: Promise<string>;
  #buffer = Buffer.alloc(65_536);

  private constructor(
    private readonly child: ChildProcess,
    private readonly pipes: Pipes,
  ) {
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(`cannot be started: ${error.message}`));
      child.once('exit', (code, signal) =>
        resolve(signal === null ? `ended with exit code ${code}` : `died by ${signal}`),
      );
    });
    new Worker(WATCH, { eval: true, workerData: { until: this.#until, pid: child.pid } }).unref();
    child.unref();
  }

  /** `start` gets the descriptors that the process reads questions from and writes answers to. */
  static start(start: (questions: number, answers: number) => ChildProcess): AnsweringProcess {
    const pipes = openPipes();
    try {
      return new AnsweringProcess(start(...pipes.child), pipes);
    } finally {
      pipes.release();
    }
  }

  /** Throws {@link ProcessGone}. */
  ask(question: unknown, mostMs: number): unknown {
    return this.#within(mostMs, () => {
      this.#send(question);
      const size = this.#readSync(HEAD_BYTES).readUInt32LE();
      return parsed(this.#readSync(checked(size)));
    });
  }

  /** The same, while this thread does other things. Rejects with {@link ProcessGone}, which tells how it ended. */
  async askLater(question: unknown, mostMs: number): Promise<unknown> {
    this.#begin(mostMs);
    try {
      this.#send(question);
      const size = (await this.#read(HEAD_BYTES)).readUInt32LE();
      return parsed(await this.#read(checked(size)));
    } catch (thrown) {
      if (!(thrown instanceof ProcessGone) || this.#hung) throw thrown;
      throw new ProcessGone(await this.#ended);
    } finally {
      this.#end();
    }
  }

  get #hung(): boolean {
    return Atomics.load(this.#until, 1) === 1n;
  }

  #begin(mostMs: number): void {
    Atomics.store(this.#until, 0, BigInt(Date.now() + mostMs));
  }

  #end(): void {
    Atomics.store(this.#until, 0, 0n);
  }

  #within<A>(mostMs: number, work: () => A): A {
    this.#begin(mostMs);
    try {
      return work();
    } finally {
      this.#end();
    }
  }

  #gone(): ProcessGone {
    return new ProcessGone(this.#hung ? 'hung' : 'ended');
  }

  #send(question: unknown): void {
    const frame = frameOf(question);
    try {
      for (let at = 0; at < frame.length; ) at += writeSync(this.pipes.ask, frame, at);
    } catch {
      throw this.#gone();
    }
  }

  #room(bytes: number): Buffer {
    if (this.#buffer.length < bytes) this.#buffer = Buffer.alloc(bytes);
    return this.#buffer;
  }

  #readSync(bytes: number): Buffer {
    const buffer = this.#room(bytes);
    for (let at = 0; at < bytes; ) {
      const got = readSync(this.pipes.hear, buffer, at, bytes - at, null);
      if (got === 0) throw this.#gone();
      at += got;
    }
    return buffer.subarray(0, bytes);
  }

  async #read(bytes: number): Promise<Buffer> {
    const buffer = this.#room(bytes);
    for (let at = 0; at < bytes; ) {
      const { bytesRead } = await readSome(this.pipes.hear, buffer, at, bytes - at, null);
      if (bytesRead === 0) throw this.#gone();
      at += bytesRead;
    }
    return buffer.subarray(0, bytes);
  }
}

const checked = (size: number): number => {
  if (size > MAX_FRAME_BYTES) throw new ProcessGone(`answered with ${size} bytes`);
  return size;
};

const parsed = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new ProcessGone('answered with what is no JSON');
  }
};
