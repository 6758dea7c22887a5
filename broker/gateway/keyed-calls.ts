import * as E from 'fp-ts/lib/Either.js';
import type { Msg } from 'nats';
import type { Fault } from '../../schemas/errors.js';
import { storedCommandSubject } from '../../schemas/subjects.js';
import type { Sealing } from '../sealing/sealing.js';
import { passed } from './passed-points.js';
import { type AdmittedCall, admitCall, admitCommand, type CommandRequest } from './call-admission.js';
import type { ModuleDirectory } from './directory.js';
import type { KeyedCommands } from './keyed-commands.js';
import { carriedOf, type RequestHeaders } from './request.js';

export interface KeyedCallsOptions {
  readonly keyed: KeyedCommands;
  readonly directory: ModuleDirectory;
  readonly sealing: Pick<Sealing, 'input'>;
  /** Why no call may be taken now, whatever it asks for. */
  readonly busy: () => Fault | undefined;
  /** Why the log can take nothing now. */
  readonly refusal: () => Fault | undefined;
  /** Has a caller wait for the result of a command. */
  readonly wait: (msg: Msg, admitted: AdmittedCall, command: number, started: number) => void;
  readonly refuse: (msg: Msg, why: Fault) => void;
  /** Brings a result that is in the log to those who wait for it. */
  readonly fetch: (command: number, resultSeq: number) => void;
}

/** A call with the key that its sender gave it. */
export interface KeyedCall {
  readonly request: CommandRequest;
  readonly headers: RequestHeaders;
  readonly key: string;
  readonly started: number;
}

/** The calls of clients with a key: all calls of one key are one command, and each gets its result. */
export class KeyedCalls {
  constructor(private readonly options: KeyedCallsOptions) {}

  async called(msg: Msg, { request, headers, key, started }: KeyedCall): Promise<void> {
    const { keyed, directory, sealing, busy, refusal, wait, refuse, fetch } = this.options;
    // The command of this key may have its result, also where the module takes no calls now.
    const admitted = admitCommand(request, directory);
    if (E.isLeft(admitted)) return refuse(msg, admitted.left);
    const refused = busy();
    if (refused !== undefined) return refuse(msg, refused);
    passed.called();
    const { sender, address, module } = admitted.right;
    const sealed = sealing.input({ address, sender, manifest: module?.manifest, data: msg.data });
    if (E.isLeft(sealed)) return refuse(msg, sealed.left);
    const subject = storedCommandSubject(address, sender);
    const outcome = await keyed.store({
      sender,
      key,
      draft: { subject, data: sealed.right, headers: carriedOf(headers) },
      refusal: () => {
        const callable = admitCall(request, directory);
        return E.isLeft(callable) ? callable.left : refusal();
      },
    });
    passed.recorded();
    if (E.isLeft(outcome)) return refuse(msg, outcome.left);
    const { seq } = outcome.right;
    wait(msg, admitted.right, seq, started);
    const resultSeq = keyed.resultOf({ sender, key });
    if (resultSeq !== undefined) fetch(seq, resultSeq);
  }
}
