import { access } from './access/access-benchmark.js';
import { revocation } from './access/revocation-benchmark.js';
import { adr } from './adr/adr-benchmark.js';
import { agents } from './agents/agents-benchmark.js';
import { cageBenchmark } from './cage/cage-benchmark.js';
import { calls } from './calls/calls-benchmark.js';
import { fairness } from './fairness/fairness-benchmark.js';
import { flood } from './flood/flood.js';
import { growth } from './growth/growth-benchmark.js';
import { httpBenchmark } from './http/http-benchmark.js';
import { idleBroker } from './idle/idle-benchmark.js';
import { ipc } from './ipc/ipc-benchmark.js';
import { journal } from './journal/journal-benchmark.js';
import { memory } from './journal/memory.js';
import { reading } from './journal/reading.js';
import { lookup } from './lookup/lookup.js';
import { past } from './past/past-benchmark.js';
import type { Scenario } from './bench/scenario.js';
import { peersBenchmark } from './logs/peers-benchmark.js';
import { sealingBenchmark } from './sealing/sealing-benchmark.js';
import { soak } from './soak/soak-benchmark.js';
import { listeningBenchmark } from './waits/listening-benchmark.js';
import { sleepersBenchmark } from './waits/sleepers-benchmark.js';
import { verifyBenchmark } from './verify/verify-benchmark.js';

/** All scenarios, in the order in which `--help` lists them. */
export const SCENARIOS: readonly Scenario[] = [
  adr,
  growth,
  calls,
  peersBenchmark,
  httpBenchmark,
  ipc,
  journal,
  reading,
  memory,
  lookup,
  past,
  agents,
  idleBroker,
  access,
  cageBenchmark,
  soak,
  flood,
  fairness,
  revocation,
  sealingBenchmark,
  sleepersBenchmark,
  listeningBenchmark,
  verifyBenchmark,
];
