import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Msg, NatsConnection } from 'nats';
import { recordsAt } from '../../journal/read/records-at.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseSequence } from '../../schemas/identity.js';
import { parseJson } from '../../schemas/json.js';
import { type ResultRequest, ResultRequestSchema } from '../../schemas/result-request.js';
import { type CommandSubject, resultSubject } from '../../schemas/subjects.js';
import { type Check, compileOnUse } from '../../schemas/validate.js';
import type { LogIndex } from '../index/log-index.js';
import { type ResultQuestion, findAsked } from './asked-command.js';
import type { AdmittedCall } from './call-admission.js';
import type { ModuleDirectory } from './directory.js';
import { findResult } from './find-result.js';
import { readRequest } from './request.js';

export interface AskedResultsOptions {
  readonly nc: NatsConnection;
  readonly index: Pick<LogIndex, 'commands' | 'reachedWithin' | 'recentResult'>;
  readonly directory: ModuleDirectory;
  /** Whether an account sees the commands of all others: an operator reads the log, which has them. */
  readonly seesAll: (account: string) => boolean;
  /** Why no request may wait now. */
  readonly busy: () => Fault | undefined;
  /** Has the request wait for the result of a command. */
  readonly wait: (msg: Msg, admitted: AdmittedCall, command: number, started: number) => void;
  readonly refuse: (msg: Msg, why: Fault) => void;
  /** Brings a result that is in the log to those who wait for it. */
  readonly fetch: (command: number, resultSeq: number) => void;
}

/** The index reads the same log, so it is at most this far behind. */
const INDEX_WAIT_MS = 20_000;
const NO_HEADERS: ReadonlySet<string> = new Set();

const checkRequest: Check<ResultRequest> = compileOnUse(ResultRequestSchema, 'PAYLOAD_INVALID', 'request');

const bodyOf = ({ data }: Msg): E.Either<Fault, ResultRequest> =>
  data.length === 0 ? E.right({}) : pipe(parseJson(data), E.chain(checkRequest));

const sequenceIn = (subject: string): E.Either<Fault, number> => {
  const seq = parseSequence(subject);
  const text = `${JSON.stringify(subject.slice(0, 64))} is no sequence of a command`;
  return seq === undefined ? E.left(fault('SUBJECT_INVALID', text)) : E.right(seq);
};

/** Requests for the result of a command, `result.<sequence>`, by who sent it. */
export class AskedResults {
  constructor(private readonly options: AskedResultsOptions) {}

  async asked(msg: Msg): Promise<void> {
    if (msg.reply === undefined || msg.reply === '') return;
    const { wait, refuse, fetch } = this.options;
    const started = performance.now();
    const found = await pipe(
      TE.fromEither(this.#read(msg)),
      TE.bindTo('asked'),
      TE.bind('command', ({ asked }) => this.#command(asked)),
      TE.bind('resultSeq', ({ asked, command }) => this.#result(asked.seq, command)),
    )();
    if (E.isLeft(found)) return refuse(msg, found.left);
    const { asked, command, resultSeq } = found.right;
    // A result that came since the look at the index is among the recent ones, and who waits gets it.
    wait(msg, { module: undefined, address: command, sender: command.sender }, asked.seq, started);
    if (resultSeq !== undefined) fetch(asked.seq, resultSeq);
  }

  #read(msg: Msg): E.Either<Fault, ResultQuestion> {
    const busy = this.options.busy();
    return pipe(
      busy === undefined ? E.right(undefined) : E.left(busy),
      E.chain(() => readRequest(msg, this.options.directory, () => NO_HEADERS)),
      E.bindTo('request'),
      E.bind('seq', ({ request }) => sequenceIn(request.subject)),
      E.bind('body', () => bodyOf(msg)),
      E.map(({ request, seq, body }) => ({ seq, sender: request.sender, ...body })),
    );
  }

  #command(asked: ResultQuestion): TE.TaskEither<Fault, CommandSubject> {
    const { nc, seesAll } = this.options;
    return pipe(
      recordsAt({ nc, prefix: '$JS.API' }, [asked.seq]),
      TE.map(([record]) => record?.subject),
      TE.orElse((problem) =>
        problem.code === 'LOG_MISMATCH' ? TE.right<Fault, string | undefined>(undefined) : TE.left(problem),
      ),
      TE.chainEitherK((subject) => findAsked(subject, asked, seesAll)),
    );
  }

  /** The sequence of the result; undefined while the command has none. */
  #result(seq: number, command: CommandSubject): TE.TaskEither<Fault, number | undefined> {
    const { nc, index } = this.options;
    return async () => {
      if (!(await index.reachedWithin(seq, INDEX_WAIT_MS)))
        return E.left(fault('LOG_UNAVAILABLE', `record ${seq} has not been read from the log`));
      if (index.commands.isOpen(seq)) return E.right(undefined);
      const recent = index.recentResult(seq);
      return recent === undefined
        ? findResult({ nc, command: seq, subject: resultSubject(command) })
        : E.right(recent);
    };
  }
}
