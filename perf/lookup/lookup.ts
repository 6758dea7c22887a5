import type { Report, Scenario } from '../bench/scenario.js';
import { gets } from './gets-report.js';
import { rebuilds } from './rebuilds.js';
import { stateWrites } from './state-writes.js';
import { LOOKUP_PEERS } from './stores/store.js';
import { type LookupPart, RATIOS, type RatioName, type Ratios } from './part.js';

/** What is measured, in this order. */
const PARTS: readonly LookupPart[] = [gets, stateWrites, rebuilds];

const NAMES = Object.keys(RATIOS) as RatioName[];

/** All that are promised, in their order; null for what this run did not measure. */
const complete = (found: Ratios): Readonly<Record<RatioName, number | null>> =>
  Object.fromEntries(NAMES.map((name) => [name, found[name] ?? null])) as Record<RatioName, number | null>;

export const lookup: Scenario = {
  name: 'lookup',
  summary: 'agents looked up from another process while states change, compared with NATS, Redis and SQLite',
  takes: ['agents', 'peers'],
  peers: LOOKUP_PEERS,
  run: async (options): Promise<Report> => {
    const reports = [];
    for (const { name, run } of PARTS) reports.push({ name, ...(await run(options)) });
    const ratios = complete(Object.assign({}, ...reports.map((report) => report.ratios)) as Ratios);
    return {
      data: { ...Object.fromEntries(reports.map(({ name, data }) => [name, data])), ratios },
      tables: [
        ...reports.flatMap(({ tables }) => tables),
        {
          title: 'ratios',
          heads: ['', 'measured', 'held'],
          rows: NAMES.map((name) => [name, String(ratios[name] ?? 'not measured'), RATIOS[name]]),
        },
      ],
    };
  },
};
