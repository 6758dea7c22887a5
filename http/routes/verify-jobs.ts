import { randomUUID } from 'node:crypto';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { refusal } from '../../schemas/result.js';
import type { Certificate, Verification } from '../../schemas/verification.js';
import { type HttpProblem, problemOf } from '../requests/http-problem.js';

/** Jobs that are kept, so that somebody who comes back finds them. */
const KEPT = 32;
const RUNNING = 2;

/** How far a verification is. */
export interface VerifyJob {
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed';
  /** The last sequence that was read, and the last one to read; null before the first. */
  readonly read: number | null;
  readonly toSeq: number | null;
  /** What was found, as `replay verify` has it; null until then. */
  readonly verification: Verification | null;
  /** What was found, signed, if that was asked for. */
  readonly certificate: Certificate | null;
  readonly problem: HttpProblem | null;
}

/** How a verification has ended. */
export type VerifyEnd = Pick<VerifyJob, 'certificate'> & { readonly verification: Verification };

type OnVerified = (seq: number, toSeq: number) => void;

interface OwnedJob {
  readonly owner: string;
  job: VerifyJob;
}

/** Verifications that run in this process, and those that ended lately. Each is its owner's alone. */
export class VerifyJobs {
  readonly #jobs = new Map<string, OwnedJob>();

  /** Starts one. OVERLOADED: others run. */
  start(
    owner: string,
    work: (onProgress: OnVerified) => TaskEither<Fault, VerifyEnd>,
  ): E.Either<Fault, VerifyJob> {
    const running = [...this.#jobs.values()].filter(({ job }) => job.state === 'running').length;
    if (running >= RUNNING)
      return E.left(
        fault('OVERLOADED', `${running} verifications are running; try again when one has ended`),
      );
    const id = randomUUID();
    const owned: OwnedJob = {
      owner,
      job: {
        id,
        state: 'running',
        read: null,
        toSeq: null,
        verification: null,
        certificate: null,
        problem: null,
      },
    };
    this.#jobs.set(id, owned);
    this.#forgetOld();
    const onProgress: OnVerified = (read, toSeq) => {
      owned.job = { ...owned.job, read, toSeq };
    };
    void work(onProgress)().then((ended) => {
      owned.job = E.isLeft(ended)
        ? { ...owned.job, state: 'failed', problem: problemOf(refusal(ended.left)) }
        : { ...owned.job, state: 'done', ...ended.right };
    });
    return E.right(owned.job);
  }

  of(owner: string, id: string): E.Either<Fault, VerifyJob> {
    const found = this.#jobs.get(id);
    return found === undefined || found.owner !== owner
      ? E.left(
          fault('HTTP_UNKNOWN', 'you have no verification of this id: it ended long ago, or never began'),
        )
      : E.right(found.job);
  }

  #forgetOld(): void {
    for (const [id, { job }] of this.#jobs) {
      if (this.#jobs.size <= KEPT) return;
      if (job.state !== 'running') this.#jobs.delete(id);
    }
  }
}
