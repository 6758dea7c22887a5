import { killsOf } from './kills.js';

killsOf('fsync', 10_000);
