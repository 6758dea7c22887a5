import { startReaper } from '../../system/processes/reaper.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import type { Report, Scenario } from '../bench/scenario.js';
import { startContenders } from './contenders.js';
import { measureEventLogging } from './event-logging.js';
import { formatsTable, loggingTable, patternsTable, waysCharts, waysTables } from './ipc-tables.js';
import { LOADS, measureWays, type WayFigures } from './measure-ways.js';
import { measurePatterns } from './patterns.js';
import { CONTRADICTIONS } from './reported.js';
import { CONTENT_BYTES, measureFormats } from './serialization.js';

const ROUNDS = 3;

const measureAll = async (
  rounds: number,
  scale: number,
  say: (line: string) => void,
): Promise<ReadonlyMap<string, WayFigures>> => {
  const reaper = startReaper();
  try {
    await using dir = await makeBenchDir();
    const contenders = await startContenders({ reaper, dir: dir.path, say });
    try {
      return await measureWays(contenders, { rounds, scale, say });
    } finally {
      for (const each of contenders) await each[Symbol.asyncDispose]();
    }
  } finally {
    await reaper.close();
  }
};

/** Every row of the Descartes report, measured between two processes. */
export const ipc: Scenario = {
  name: 'ipc',
  summary:
    'messages between processes by seven ways, patterns, event logging and formats, next to the Descartes report',
  run: async ({ rounds = ROUNDS, records = LOADS.small.messages, say }): Promise<Report> => {
    const scale = Math.min(1, records / LOADS.small.messages);
    const ways = await measureAll(rounds, scale, say);
    const patterns = await measurePatterns(scale, say);
    say('event logging');
    const logging = await measureEventLogging(scale, say);
    say('formats');
    const formats = CONTENT_BYTES.map((bytes) => [bytes, measureFormats(bytes, rounds, scale)] as const);
    return {
      data: {
        ipc: {
          rounds,
          ways: Object.fromEntries(ways),
          patterns,
          eventLogging: logging,
          formats: Object.fromEntries(formats),
          contradictions: CONTRADICTIONS,
        },
      },
      tables: [
        ...waysTables(ways),
        patternsTable(patterns),
        loggingTable(logging),
        ...formats.map(([bytes, found]) => formatsTable(bytes, found)),
        {
          title: 'where the figures of the report contradict each other',
          heads: ['', ''],
          rows: CONTRADICTIONS.map((text, i) => [`${i + 1}`, text]),
        },
      ],
      charts: waysCharts(ways),
    };
  },
};
