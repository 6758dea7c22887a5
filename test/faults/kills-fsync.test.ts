import { test } from 'node:test';
import { surviveKills } from './kills.js';

test(
  'I1 to I6 hold under fsync when modules, server and broker are killed with 10,000 calls in flight',
  surviveKills('fsync', 10_000),
);
