import { jetstream } from '@nats-io/jetstream';
import { headers, type NatsConnection } from 'nats';
import type { AnyEvent } from '../../modules/sdk/checked-outcome.js';
import { HEADER } from '../../schemas/headers.js';
import { Seeded } from '../support/seeded.js';

/** Something that a log has of the module `tally`. */
export interface Recorded {
  readonly seq: number;
  readonly agent: string;
  readonly events: readonly AnyEvent[];
}

type Happened = Omit<Recorded, 'seq'>;

const AT_ONCE = 1_000;

const withCause = (cause: number) => {
  const h = headers();
  h.set(HEADER.cause, String(cause));
  return h;
};

/**
 * Records a history as modules do: results with what they carry, followed by the copies of that; now and then an event that
 * nothing caused, which decides itself, and a record of another module.
 */
export const record = async (
  nc: NatsConnection,
  happened: readonly Happened[],
  seed: number,
): Promise<readonly Recorded[]> => {
  const js = jetstream(nc);
  const random = new Seeded(seed);
  const recorded: Recorded[] = [];
  const tail = (name: string, agent: string): string => (agent === '' ? name : `${name}.${agent}`);
  const one = async ({ agent, events }: Happened, i: number): Promise<Recorded> => {
    const [only] = events;
    if (events.length === 1 && only !== undefined && random.int(0, 9) === 0) {
      const { seq } = await js.publish(`evt.tally.${tail(only.name, agent)}`, JSON.stringify(only.data));
      return { seq, agent, events };
    }
    const cause = i + 1;
    const out = events.map(({ name, data }, part) => ({
      subject: `evt.tally.${tail(name, agent)}`,
      id: `${cause}/${part + 1}`,
      data,
    }));
    const result = js.publish(
      `res.tally.${tail('add', agent)}`,
      JSON.stringify({ status: 'ok', data: {}, out }),
      { headers: withCause(cause) },
    );
    for (const { subject, data } of out)
      void js.publish(subject, JSON.stringify(data), { headers: withCause(cause) });
    if (random.int(0, 4) === 0) void js.publish(`res.other.add.${agent || 'x'}`, '{}');
    return { seq: (await result).seq, agent, events };
  };
  for (let from = 0; from < happened.length; from += AT_ONCE) {
    const some = happened.slice(from, from + AT_ONCE);
    recorded.push(...(await Promise.all(some.map((each, i) => one(each, from + i)))));
  }
  return recorded;
};
