import { test } from 'node:test';
import { CALLS } from './kill-options.js';
import { surviveKills } from './kills.js';

test(
  `I1 to I6 hold under os when modules, server and broker are killed with ${CALLS} calls in flight`,
  surviveKills('os', CALLS),
);
