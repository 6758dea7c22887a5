import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'nats';
import { FAIL_VARIABLE, type FailPoint } from '../../system/processes/fail-point.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import { plain } from '../fixtures/modules/plain/manifest.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { checkLog } from '../support/log-checks.js';
import { writeModule } from '../support/module-dir.js';
import { type Change, ModuleFates } from '../support/module-fates.js';
import { moduleCommand, moduleStatus, moduleStatuses } from '../support/modules.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

export const NAMES = ['red', 'blue'] as const;
export type Name = (typeof NAMES)[number];

export type Step =
  | { readonly do: 'load' | 'unload' | 'reload' | 'remove' | 'send' | 'crash module'; readonly name: Name }
  | { readonly do: 'restart' | 'kill broker' }
  /** The broker is killed while it does that. */
  | {
      readonly do: 'kill in';
      readonly name: Name;
      readonly what: Change;
      readonly at: FailPoint;
    };

const resultOf = (message: StoredMessage): string => {
  const result = JSON.parse(new TextDecoder().decode(message.data)) as Result;
  return result.status === 'ok' ? 'ok' : result.error.code;
};

/**
 * A broker and two modules under a random life, beside the little that has to be true of it: a module that was loaded is
 * known until it is removed, its commands wait until it runs, and those of a module that is unknown are answered so.
 */
export class KnownModules implements AsyncDisposable {
  readonly #fates = new ModuleFates<Name>();
  #dirs = new Map<Name, string>();

  private constructor(
    private readonly dir: ReturnType<typeof tempDir>,
    private broker: TestBroker,
  ) {}

  static async start(): Promise<KnownModules> {
    const dir = tempDir();
    mkdirSync(join(dir.path, 'fail'));
    const world = new KnownModules(dir, await KnownModules.#broker(dir.path));
    for (const name of NAMES)
      world.#dirs.set(name, await writeModule(join(dir.path, name), 'plain', plain(name)));
    return world;
  }

  static #broker(path: string): Promise<TestBroker> {
    return startBroker({
      dataDir: join(path, 'data'),
      args: ['--no-shipped', '--durability', 'os'],
      env: { [FAIL_VARIABLE]: join(path, 'fail') },
    });
  }

  async perform(step: Step): Promise<void> {
    switch (step.do) {
      case 'restart':
        await this.broker.stop();
        return this.#begin();
      case 'kill broker':
        await this.broker.kill();
        return this.#begin();
      case 'kill in':
        return this.#killIn(step.what, step.name, step.at);
      case 'send':
        return this.#send(step.name);
      case 'crash module': {
        const { pid } = (await moduleStatuses(this.broker)).get(step.name) ?? {};
        if (pid !== undefined && pid !== null) process.kill(pid, 'SIGKILL');
        return;
      }
      default:
        return this.#ask(step.do, step.name);
    }
  }

  /** Loads all that is known, and lays the log beside what must have become of each command. */
  async check(): Promise<void> {
    await this.#states();
    for (const name of NAMES) if (this.#fates.intent(name) === 'unloaded') await this.#ask('load', name);
    await waitFor(
      'an answer to each command',
      async () => {
        const answers = new Map<number, string>();
        const { findings, unanswered } = await checkLog(this.broker.dataDir, (message) => {
          if (message.subject.startsWith('res.'))
            answers.set(Number(message.header('Tally-Cause')), resultOf(message));
        });
        assert.deepEqual([findings, unanswered], [[], []]);
        assert.deepEqual(this.#fates.findings(answers), []);
        return true;
      },
      30_000,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker[Symbol.asyncDispose]();
    await this.dir[Symbol.asyncDispose]();
  }

  async #begin(): Promise<void> {
    this.broker = await KnownModules.#broker(this.dir.path);
    await this.#states();
  }

  /** The broker says of each module what must be so. */
  async #states(): Promise<void> {
    for (const name of NAMES) {
      const intent = this.#fates.intent(name);
      if (intent === 'loaded') await moduleStatus(this.broker, name, ({ state }) => state === 'loaded');
      else
        assert.equal(
          (await moduleStatuses(this.broker)).get(name)?.state,
          this.#fates.isKnown(name) ? intent : undefined,
          name,
        );
    }
  }

  #command(what: Change, name: Name) {
    if (what === 'load') return moduleCommand(this.broker, 'load', this.#dirs.get(name) as string);
    return moduleCommand(this.broker, what, name, ...(what === 'remove' ? ['--unload', '--yes'] : []));
  }

  async #ask(what: Change, name: Name): Promise<void> {
    const before = this.#fates.intent(name);
    const isRefused = this.#fates.isRefused(what, name);
    const { code, json, stderr } = await this.#command(what, name);
    assert.equal(code, isRefused ? 1 : 0, `${what} of ${name}, which is ${before}: ${stderr}`);
    if (isRefused) return;
    const { least, most } = this.#fates.done(what, name);
    if (what !== 'remove') return;
    const { waiting = -1 } = json as { waiting?: number };
    assert.ok(least <= waiting && waiting <= most, `${waiting} waited, not ${least} to ${most}`);
  }

  /** After it the operation is done, or nothing of it is: then it is asked for again. */
  async #killIn(what: Change, name: Name, at: FailPoint): Promise<void> {
    if (this.#fates.isRefused(what, name)) return;
    writeFileSync(join(this.dir.path, 'fail', 'broker'), `${at}@1:kill\n`);
    process.kill(this.broker.pid, 'SIGUSR2');
    const asked = this.#command(what, name);
    await this.broker.exited;
    assert.notEqual((await asked).code, 0);
    this.broker = await KnownModules.#broker(this.dir.path);
    const found = (await moduleStatuses(this.broker)).get(name);
    const isDone =
      what === 'remove'
        ? found === undefined
        : what === 'unload'
          ? found?.state === 'unloaded'
          : found !== undefined && found.state !== 'unloaded';
    // Behind its own place in the file, nothing undoes it; before, nothing was done.
    if (at === 'module.removed' || (at === 'module.remembered' && what !== 'remove'))
      assert.ok(isDone, `${what} at ${at}`);
    if (isDone) this.#fates.done(what, name);
    else if (found?.state === 'unloaded') this.#fates.done('unload', name);
    await this.#states();
  }

  async #send(name: Name): Promise<void> {
    const nc = await connect({ servers: this.broker.url });
    try {
      const reply = (await nc.request(`cmd.${name}.echo.ann`, '"hello"', { timeout: 10_000 })).json<{
        seq?: number;
        error?: { code?: string };
      }>();
      if (reply.seq === undefined) {
        // Refused when it is sent: only where nobody would handle it.
        assert.ok(!this.#fates.isKnown(name), JSON.stringify(reply));
        return;
      }
      if (this.#fates.sent(reply.seq, name)) return;
      await this.#answered(reply.seq);
      this.#fates.answered(reply.seq);
    } finally {
      await nc.close();
    }
  }

  /** Until it has its answer: what becomes of it is not to depend on what is done next. */
  async #answered(seq: number): Promise<void> {
    await waitFor(
      `the answer to ${seq}`,
      async () => !(await checkLog(this.broker.dataDir)).unanswered.includes(seq),
      30_000,
    );
  }
}
