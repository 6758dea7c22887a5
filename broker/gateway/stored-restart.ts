import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { recordsAt } from '../../journal/read/records-at.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { jsonOrText } from '../../schemas/json.js';
import { type Restart, RestartSchema } from '../../schemas/restart.js';
import { compileOnUse } from '../../schemas/validate.js';

const check = compileOnUse<Restart>(RestartSchema, 'LOG_MISMATCH', 'restart');

/** The body of the record that restarts a command. */
export const restartAt = async (nc: NatsConnection, seq: number): Promise<E.Either<Fault, Restart>> => {
  const found = await recordsAt({ nc, prefix: '$JS.API' }, [seq])();
  if (E.isLeft(found)) return found;
  const [record] = found.right;
  return record === undefined
    ? E.left(fault('LOG_UNAVAILABLE', `record ${seq} did not come`))
    : check(jsonOrText(record.data));
};
