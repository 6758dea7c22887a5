import * as E from 'fp-ts/lib/Either.js';
import type { Msg, NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { CARRIED, HEADER } from '../../schemas/headers.js';
import { isPlainPart } from '../../schemas/names.js';
import { clip } from '../../text/printable.js';
import type { Draft, Settle } from '../../journal/append/draft.js';
import { failPoint } from '../../system/processes/fail-point.js';
import type { Sealing } from '../sealing/sealing.js';
import { passed } from './passed-points.js';
import type { Producer } from '../../journal/producer/producer.js';
import { Seldom } from '../../system/lines/seldom.js';
import { type Listening, sayFailed, serve } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';
import type { Entrance } from '../serving/entrance.js';
import { moduleUnknown } from './call-admission.js';
import type { ModuleDirectory } from './directory.js';
import type { KeyedCommands } from './keyed-commands.js';
import { claimOf, type OutsideProducers } from './outside-producers.js';
import { replyFault, replyStored } from './reply.js';
import { carriedOf, keyIn, readRequest, type SignedRequest } from './request.js';

export interface DoorOptions {
  readonly nc: NatsConnection;
  readonly producer: Pick<Producer, 'submit'>;
  readonly outside: OutsideProducers;
  /** Stores commands that have a key. */
  readonly keyed: Pick<KeyedCommands, 'store'>;
  readonly directory: ModuleDirectory;
  /** Encrypts what is stored for modules that want it. */
  readonly sealing: Pick<Sealing, 'input'>;
  /** Where commands of people come in. */
  readonly entrance: Entrance;
  /** Why the log can take nothing now, where that is known before it is tried. */
  readonly refusal?: () => Fault | undefined;
  readonly log: (text: string) => void;
}

/** A producer may have these besides its identity, if they name the same. */
const OF_EPOCHS = [HEADER.schema, HEADER.fenceSequence, HEADER.fenceSubject] as const;

const ALLOWED: ReadonlySet<string> = new Set([...CARRIED, HEADER.key, HEADER.id, ...OF_EPOCHS]);

const loneHeader = ({ headers }: SignedRequest): Fault | undefined => {
  if (headers[HEADER.id] !== undefined) {
    // The identity of a record does already what a key does.
    return headers[HEADER.key] === undefined
      ? undefined
      : fault('HEADER_INVALID', `a command has ${HEADER.id} or ${HEADER.key}, not both; leave one out`);
  }
  const name = OF_EPOCHS.find((each) => headers[each] !== undefined);
  return name === undefined
    ? undefined
    : fault(
        'HEADER_INVALID',
        `the header ${name} goes with ${HEADER.id}, which a producer has; leave it out`,
      );
};

const noName = (part: string): Fault =>
  fault('NAME_INVALID', `${JSON.stringify(clip(part, 64))} is not 1 to 64 of A-Z a-z 0-9 _ -`);

/** A command that may be stored, and who numbers it: the broker, or a producer outside. */
interface Entrant {
  readonly draft: Draft;
  readonly request: SignedRequest;
}

/**
 * Serves people's commands: `cmd.<module>.<action>[.<agent>]` of guest and operator comes here as `send.….<sender>`.
 * A command of a module that is known is stored, and answered as JetStream would answer: what is wrong with it is for
 * the module to say, in the log, also to who waits for no answer. What no module would ever answer is refused before
 * it is in the log.
 */
export class Door {
  readonly #unheard: Seldom;
  #serving: Listening | undefined;
  #storing = 0;

  constructor(private readonly options: DoorOptions) {
    this.#unheard = new Seldom(options.log);
  }

  start(): void {
    const { nc } = this.options;
    const handle = (msg: Msg): void => this.#sent(msg);
    this.#serving = serve({
      nc,
      subject: SERVED.commands,
      entrance: this.options.entrance,
      handle,
      refuse: replyFault,
    });
  }

  /** Commands on their way into the log, but those of producers outside. */
  get storing(): number {
    return this.#storing;
  }

  /** Takes no more commands; those on their way are still answered. Idempotent. */
  close(): void {
    this.#serving?.unsubscribe();
    this.#serving = undefined;
  }

  #sent(msg: Msg): void {
    failPoint('gateway.sent');
    const entrant = this.#readCommand(msg);
    if (E.isLeft(entrant)) return this.#refuse(msg, entrant.left);
    const { draft, request } = entrant.right;
    const settle: Settle = (outcome) => {
      passed.stored();
      if (E.isLeft(outcome)) this.#refuse(msg, outcome.left);
      else if (msg.reply !== undefined && msg.reply !== '') replyStored(msg, outcome.right.seq);
    };
    const key = keyIn(request.headers);
    if (E.isLeft(key)) return this.#refuse(msg, key.left);
    if (key.right !== undefined) {
      const stored = this.#storeOnce(msg, draft, request, key.right);
      return void stored.catch((thrown: unknown) => sayFailed(msg, String(thrown)));
    }
    const { usages } = this.options.entrance;
    const usage = usages.of(request.sender);
    const bytes = draft.subject.length + draft.data.length;
    const isNumbered = request.headers[HEADER.id] !== undefined;
    // A producer waits for room among the open commands.
    const [module = ''] = request.subject.split('.', 1);
    const full = usages.full({ sender: request.sender, module, bytes, isNumbered });
    if (full !== undefined) return this.#refuse(msg, full);
    const counted: Settle = (outcome) => {
      usage.share.settled(bytes, E.isRight(outcome) ? outcome.right.seq : undefined);
      settle(outcome);
    };
    if (!isNumbered) {
      usage.share.storing(bytes);
      return this.#store(draft, counted);
    }
    const claim = claimOf(request);
    if (E.isLeft(claim)) return this.#refuse(msg, claim.left);
    usage.share.storing(bytes);
    this.options.outside.submit(claim.right, draft, counted);
  }

  #store(draft: Draft, settle: Settle): void {
    this.#storing += 1;
    this.options.producer.submit(draft, (outcome) => {
      this.#storing -= 1;
      // The broker that has taken over has the command too, and may have stored it.
      if (E.isRight(outcome) || outcome.left.code !== 'EPOCH_LOST') settle(outcome);
    });
  }

  async #storeOnce(msg: Msg, draft: Draft, { sender }: SignedRequest, key: string): Promise<void> {
    const { keyed, refusal } = this.options;
    this.#storing += 1;
    const outcome = await keyed.store({ sender, key, draft, refusal: () => refusal?.() });
    this.#storing -= 1;
    passed.stored();
    if (E.isLeft(outcome)) {
      if (outcome.left.code !== 'EPOCH_LOST') this.#refuse(msg, outcome.left);
    } else if (msg.reply !== undefined && msg.reply !== '')
      replyStored(msg, outcome.right.seq, outcome.right.wasStored);
  }

  #readCommand(msg: Msg): E.Either<Fault, Entrant> {
    const { directory, sealing, refusal } = this.options;
    const request = readRequest(msg, directory, () => ALLOWED);
    if (E.isLeft(request)) return request;
    const lone = loneHeader(request.right);
    if (lone !== undefined) return E.left(lone);
    const { subject, sender } = request.right;
    const module = subject.slice(0, subject.indexOf('.'));
    const served = directory.find(module);
    if (served === undefined) return E.left(moduleUnknown(module));
    const odd = subject.split('.').find((part) => !isPlainPart(part));
    if (odd !== undefined) return E.left(noName(odd));
    const [, name = '', agent] = subject.split('.');
    const address = { module, name, ...(agent === undefined ? {} : { agent }) };
    const sealed = sealing.input({ address, sender, manifest: served.manifest, data: msg.data });
    if (E.isLeft(sealed)) return sealed;
    // The log may have a command with a key already: KeyedCommands asks.
    const refused = request.right.headers[HEADER.key] === undefined ? refusal?.() : undefined;
    if (refused !== undefined) return E.left(refused);
    const draft = {
      // The server wrote the sender; see readRequest.
      subject: `cmd.${subject}.${sender}`,
      data: sealed.right,
      headers: carriedOf(request.right.headers),
    };
    return E.right({ draft, request: request.right });
  }

  #refuse(msg: Msg, problem: Fault): void {
    this.options.entrance.refused?.(msg, problem);
    if (msg.reply !== undefined && msg.reply !== '') return replyFault(msg, problem);
    this.#unheard.say(
      `a command on ${JSON.stringify(msg.subject.slice(0, 200))} was refused, and no sender waits for a reply: ${problem.code}: ${problem.message}`,
    );
  }
}
