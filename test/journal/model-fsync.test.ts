import { test } from 'node:test';
import { holdsInRandomRuns } from './model/property.js';
import { byForm } from '../support/form.js';

const RUNS = byForm({ short: 2, deep: 40 });

test(`I1 I2 I3 I4 I5 I8 I11 hold after each of ${RUNS} random runs under fsync`, () =>
  holdsInRandomRuns('fsync', RUNS));
