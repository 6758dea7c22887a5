import { defineModule, ok, Type } from 'tallystick';

const LIMIT = 30;
const Reading = Type.Object({ degrees: Type.Number() });

export default defineModule({
  name: 'sensors',
  version: '1.0.0',
  description: 'Takes the readings of sensors, and raises an alarm when one is too hot.',
  state: { readings: 0, highest: -273.15, alarms: 0 },
  events: {
    measured: {
      data: Reading,
      evolve: (state, { degrees }) => ({
        ...state,
        readings: state.readings + 1,
        highest: Math.max(state.highest, degrees),
      }),
    },
    overheated: { data: Reading, evolve: (state) => ({ ...state, alarms: state.alarms + 1 }) },
  },
  actions: {
    measure: {
      input: Reading,
      output: Type.Object({}),
      decide: (_, reading) =>
        ok({}, [{ measured: reading }, ...(reading.degrees > LIMIT ? [{ overheated: reading }] : [])]),
    },
  },
});
