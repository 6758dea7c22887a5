/**
 * What the Descartes IPC performance report (version 1.0, 2024-11-23) says, as it says it. This project did not measure
 * these figures. They stand next to those that it did.
 */
export const REPORTED = {
  throughput: {
    small: {
      'stdin and stdout': '~100,000 msg/s',
      'Unix socket': '~150,000 msg/s',
      'shared memory': '~500,000 msg/s',
    },
    large: { 'stdin and stdout': '~10 MB/s', 'Unix socket': '~25 MB/s', 'shared memory': '~100 MB/s' },
  },
  p95: {
    small: { 'stdin and stdout': '80-150 us', 'Unix socket': '50-100 us', 'shared memory': '5-20 us' },
    large: { 'stdin and stdout': '1-2 ms', 'Unix socket': '500-800 us', 'shared memory': '100-200 us' },
  },
  memory: {
    small: { 'stdin and stdout': '2 MB', 'Unix socket': '1 MB', 'shared memory': '500 KB' },
    large: { 'stdin and stdout': '25 MB', 'Unix socket': '2.5 MB', 'shared memory': '1 MB' },
  },
  /** Minimum, p50, p95, p99 and maximum in microseconds. The report does not say of which mechanism. */
  roundTrips: {
    64: '5 / 15 / 50 / 100 / 500',
    256: '8 / 20 / 80 / 150 / 800',
    1024: '10 / 30 / 100 / 200 / 1000',
    4096: '20 / 50 / 150 / 300 / 2000',
    1000000: '200 / 500 / 1000 / 2000 / 5000',
  },
  eventLogging: 'mean 5-10 us, p95 15-20 us, p99 30-50 us',
  formats: {
    256: {
      'JSON, indented': '200 / 180 msg/s, 800 B',
      JSON: '200 / 180 msg/s, 750 B',
      MessagePack: 'bincode: 800 / 700 msg/s, 400 B',
      'JSON, deflated': '150 / 140 msg/s, 300 B',
    },
    1000000: {
      JSON: '150 / 140 msg/s',
      MessagePack: 'bincode: 600 / 550 msg/s',
      'JSON, deflated': '100 / 95 msg/s',
    },
  },
  idleCores: { 'stdin and stdout': '0.1 %', 'Unix socket': '0.05 %', 'shared memory': '0.05 %' },
  activeCores: { 'stdin and stdout': '2.5 %', 'Unix socket': '1.8 %', 'shared memory': '1.2 %' },
  patterns: {
    10: {
      'fan-out': '45,000 msg/s',
      'fan-in': '40,000 msg/s',
      pipeline: '50,000 msg/s',
      broadcast: '45,000 msg/s',
      'all-to-all': '25,000 msg/s',
    },
    50: {
      'fan-out': '42,000 msg/s',
      'fan-in': '38,000 msg/s',
      pipeline: '48,000 msg/s',
      broadcast: '40,000 msg/s',
      'all-to-all': '15,000 msg/s',
    },
  },
} as const;

/** Where figures of the report contradict each other. */
export const CONTRADICTIONS: readonly string[] = [
  'It passes "P95 of a round trip below 100 us" with 50-100 us. Its own tables have 80-150 us for stdin and stdout, 100 us at 1 KB and 150 us at 4 KB.',
  'JSON is written 200 times a second (5 ms each). Yet 100,000 to 500,000 messages a second are JSON-serializable structs.',
  '1 MB in 1-2 ms, one after the other, is 500 MB/s or more. The table says 10 MB/s. For a Unix socket 500-800 us, and 25 MB/s; for shared memory 100-200 us, and 100 MB/s.',
  'Active processing takes 2.5 % of a core at 100,000 messages a second: 0.25 us a message, system calls included. A message takes 5-20 us by its fastest mechanism.',
  'Memory of stdin and stdout is 2.0 MB while idle, and 0 MB before and after 100,000 messages.',
  'All-to-all falls to 0.60 of its throughput from 10 to 50 agents, below a text that says "no bottlenecks".',
  'The average latency of each pattern is 1 divided by its throughput, to the digit (45,000 a second and 22 us), also where agents send at the same time. So it was not measured.',
  'Its load is "simulated with synchronous operations", and its table has throughput of 50 agents that send at the same time.',
];
