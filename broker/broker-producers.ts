import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { GROUPING } from '../journal/append/grouping.js';
import { brokerEpochs } from '../journal/epochs/epoch-source.js';
import { Producer } from '../journal/producer/producer.js';
import type { Fault } from '../schemas/errors.js';
import { SCHEDULER } from '../schemas/firing.js';
import { deliverer, EVENTS_SENDER } from '../schemas/heard-events.js';
import { WAITS_SENDER } from '../schemas/wake.js';
import type { OpenLog } from './log/open-log.js';

/** Opens a producer under the epoch of the broker: it ends when another broker takes the log over. */
type OpensProducer = (open: OpenLog, say: (text: string) => void) => TaskEither<Fault, Producer>;

const underBroker =
  (name: string, prefixes: readonly string[]): OpensProducer =>
  ({ nc, under, durability, replaced }, say) =>
    Producer.open({
      nc,
      name,
      epochs: brokerEpochs({ nc, producer: name, under, prefixes }),
      prefixes,
      grouping: GROUPING[durability],
      onReplaced: replaced,
      onReopen: (reason) => say(`a new epoch is opened: ${reason.message}`),
    });

/** Stores the commands of schedules when they are due. */
export const openScheduler = underBroker(SCHEDULER, ['cmd.']);

/** Stores signals, and the wakes of handlers that wait. */
export const openWakes = underBroker(WAITS_SENDER, ['wake.', 'signal.']);

/** Stores the events that a module listens to as its commands. */
export const openDeliverer = (listener: string): OpensProducer =>
  underBroker(deliverer(listener), [`cmd.${listener}.`, `evt.${EVENTS_SENDER}.`]);
