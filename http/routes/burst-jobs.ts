import { randomUUID } from 'node:crypto';
import * as E from 'fp-ts/lib/Either.js';
import type { BurstJob, BurstNews, BurstRequest } from '../../schemas/burst.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { refusal } from '../../schemas/result.js';
import { type HttpProblem, problemOf } from '../requests/http-problem.js';
import { type BurstProcess, startBurst } from './burst-process.js';

/** Bursts that are kept, so that somebody who comes back finds them. */
const KEPT = 8;
/** One in 250 ms; a burst that is late for longer shows its first ones. */
const MOST_MOMENTS = 2_400;
const MOST_FAULTS = 100;

type HttpBurst = BurstJob<HttpProblem>;

interface RunningBurst {
  job: HttpBurst;
  process: BurstProcess | undefined;
}

const told = (job: HttpBurst, news: BurstNews): HttpBurst => {
  if ('stage' in news) return { ...job, stage: news.stage };
  if ('fault' in news) return { ...job, faults: [...job.faults, news.fault].slice(-MOST_FAULTS) };
  const moments = job.moments.length < MOST_MOMENTS ? [...job.moments, news.moment] : job.moments;
  return { ...job, stage: news.part, moments };
};

/** The burst that runs on this machine, and those that ended lately. All who may start one see them. */
export class BurstJobs {
  readonly #jobs = new Map<string, RunningBurst>();

  /** Whether one may start now. OVERLOADED: another one runs. */
  room(): E.Either<Fault, void> {
    const running = [...this.#jobs.values()].find(({ job }) => job.state === 'running');
    return running === undefined
      ? E.right(undefined)
      : E.left(fault('OVERLOADED', `burst ${running.job.id} runs: wait until it has ended, or cancel it`));
  }

  /** Starts one. */
  start(request: BurstRequest): E.Either<Fault, HttpBurst> {
    const room = this.room();
    if (E.isLeft(room)) return room;
    const id = randomUUID();
    const begun: HttpBurst = {
      ...{ id, request, state: 'running', stage: 'a new broker starts' },
      ...{ moments: [], faults: [], report: null, picture: null, problem: null },
    };
    const running: RunningBurst = { job: begun, process: undefined };
    this.#jobs.set(id, running);
    for (const old of this.#jobs.keys()) if (this.#jobs.size > KEPT) this.#jobs.delete(old);
    try {
      running.process = startBurst(request, (news) => {
        if (running.job.state === 'running') running.job = told(running.job, news);
      });
    } catch (error) {
      this.#jobs.delete(id);
      return E.left(fault('INTERNAL', `the burst cannot be started: ${(error as Error).message}`));
    }
    void running.process.ended.then((ended) => {
      running.process = undefined;
      if (running.job.state === 'cancelled') return;
      running.job = E.isLeft(ended)
        ? { ...running.job, state: 'failed', problem: problemOf(refusal(ended.left)) }
        : { ...running.job, state: 'done', ...ended.right };
    });
    return E.right(begun);
  }

  of(id: string): E.Either<Fault, HttpBurst> {
    const found = this.#jobs.get(id);
    return found === undefined
      ? E.left(fault('HTTP_UNKNOWN', 'there is no burst of this id: it ended long ago, or never began'))
      : E.right(found.job);
  }

  /** Ends a burst that runs. One that has ended stays as it is. */
  async cancel(id: string): Promise<E.Either<Fault, HttpBurst>> {
    const found = this.#jobs.get(id);
    if (found?.process !== undefined && found.job.state === 'running') {
      found.job = { ...found.job, state: 'cancelled' };
      found.process.cancel();
      await found.process.ended;
    }
    return this.of(id);
  }

  /** Ends what runs. */
  async close(): Promise<void> {
    for (const id of [...this.#jobs.keys()]) await this.cancel(id);
  }

  list(): readonly Pick<HttpBurst, 'id' | 'state' | 'request'>[] {
    return [...this.#jobs.values()].map(({ job: { id, state, request } }) => ({ id, state, request }));
  }
}
