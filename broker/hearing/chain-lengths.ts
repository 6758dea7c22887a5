import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { causeOf, type StoredMessage } from '../../schemas/record.js';

/** Commands of which it is remembered how long their chain is. */
const MOST_COMMANDS = 10_000;
/** Commands from an event up to the delivery that caused it. A longer way has no delivery that counts. */
const MOST_HOPS = 64;

type FindRecord = (seq: number) => Promise<Pick<StoredMessage, 'header'> | undefined>;

/** How many deliveries lie between an event and the begin of its chain. The log says that, if it is not remembered. */
export class ChainLengths {
  readonly #byCommand = new Map<number, number>();

  constructor(private readonly find: FindRecord) {}

  /** A command has a chain of this length. */
  note(command: number, length: number): void {
    this.#byCommand.set(command, length);
    if (this.#byCommand.size <= MOST_COMMANDS) return;
    const [oldest] = this.#byCommand.keys();
    this.#byCommand.delete(oldest as number);
  }

  /** 0: no delivery led to it. */
  async of(event: Pick<StoredMessage, 'header'>): Promise<number> {
    const way: number[] = [];
    let length: number | undefined;
    for (let cause = causeOf(event); length === undefined; ) {
      if (cause === undefined || way.length === MOST_HOPS) length = 0;
      else {
        length = this.#byCommand.get(cause);
        if (length !== undefined) break;
        const command = await this.find(cause);
        way.push(cause);
        length = parseSequence(command?.header(HEADER.chain) ?? '');
        cause = command === undefined ? undefined : causeOf(command);
      }
    }
    for (const command of way) this.note(command, length);
    return length;
  }
}
