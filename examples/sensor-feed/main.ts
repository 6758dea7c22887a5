import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, send } from 'tallystick';
import sensors from './modules/sensors.ts';

const SENSORS = ['roof', 'cellar', 'kitchen'];
const READINGS = 200;

await using tally = await connect();
// A real sensor keeps its outbox: the next start sends what this one had accepted.
const outbox = join(mkdtempSync(join(tmpdir(), 'sensor-feed-')), 'outbox');
await using producer = await tally.producer({ name: 'thermometer', outbox });

const readings = Array.from({ length: READINGS }, (_, i) =>
  SENSORS.map((sensor, at) => send(sensors, 'measure', sensor, { degrees: 10 + at * 5 + (i % 20) })),
).flat();

const sent = await producer.sendAll(readings);
const stored = sent.flatMap((each) => (each._tag === 'Right' ? [each.right] : []));
console.log(
  `${stored.length} of ${readings.length} readings are in the log, numbered 1 to ${stored.at(-1)?.n}`,
);

for (const sensor of SENSORS) {
  // The readings are stored. A call of the same agent is handled after them, so then they are in the state.
  await tally.agent(sensors, sensor).measure({ degrees: 0 });
  const seen = await tally.state(sensors, sensor);
  if (seen === undefined) throw new Error(`${sensor} has no state`);
  const { readings: count, highest, alarms } = seen.state;
  console.log(`${sensor}: ${count} readings, at most ${highest} degrees, ${alarms} alarms`);
}
