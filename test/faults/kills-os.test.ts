import { killsOf } from './kills.js';

killsOf('os', 10_000);
