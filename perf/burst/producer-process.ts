import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Reaper } from '../../system/processes/reaper.js';
import { FaultError, fault } from '../../schemas/errors.js';
import type { FromProducer, ProducerNews, ProducerSetting, ToProducer } from './setting.js';

export interface ProducerEvents {
  readonly onNews: (news: ProducerNews) => void;
}

/** One life of a producer. */
export class ProducerProcess {
  /** Resolves when it is connected and has its epoch; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves when all that was due is settled, or when it was killed; rejects when it failed. */
  readonly done: Promise<void>;
  readonly #child: ChildProcess;
  #killed = false;

  constructor(setting: ProducerSetting, reaper: Reaper, { onNews }: ProducerEvents) {
    const child = fork(
      fileURLToPath(new URL('producer-main.js', import.meta.url)),
      [JSON.stringify(setting)],
      {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      },
    );
    this.#child = child;
    reaper.track(child);
    let ready: () => void = () => undefined;
    let failed: (error: Error) => void = () => undefined;
    this.ready = new Promise((resolve, reject) => {
      ready = resolve;
      failed = reject;
    });
    this.done = new Promise((resolve, reject) => {
      const fail = (text: string): void => {
        const error = new FaultError(fault('INTERNAL', `producer ${setting.index}: ${text}`));
        failed(error);
        if (this.#killed) resolve();
        else reject(error);
      };
      child.on('message', (message: FromProducer) => {
        if (message.is === 'ready') ready();
        else if (message.is === 'news') onNews(message.news);
        else if (message.is === 'done') resolve();
        else fail(message.message);
      });
      child.once('error', (error) => fail(error.message));
      child.once('exit', (code, signal) => fail(`it ended with ${code ?? signal}`));
    });
    // The waiter for one of the two learns of it.
    this.ready.catch(() => undefined);
    this.done.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  begin(order: ToProducer): void {
    this.#child.send(order);
  }

  /** With -9; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#killed = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
