import { BUSY, REQUEST } from './callees.js';
import { RESTATE } from './restate-callee.js';
import { TRACED } from './traced-callee.js';
import type { CommandsFound } from './commands.js';
import type { CallFigures, FiguresByInFlight } from './measure-calls.js';

type Found = ReadonlyMap<string, FiguresByInFlight>;

const rounded = (value: number | undefined, digits: number): number | null =>
  value === undefined || Number.isNaN(value) ? null : Number(value.toFixed(digits));

const over = (above: number | undefined, below: number | undefined): number | undefined =>
  above === undefined || below === undefined ? undefined : above / below;

/** The promised figures, from medians of the rounds; null for a figure that this run did not measure. */
export const callRatios = (
  found: Found,
  commands: CommandsFound,
): Readonly<Record<string, number | null>> => {
  const at = (name: string, inFlight: number): CallFigures | undefined => found.get(name)?.[inFlight];
  const p50 = (name: string): number | undefined => at(name, 1)?.p50Ms.median;
  const rate = (name: string): number | undefined => at(name, BUSY)?.perSecond.median;
  const cpu = (role: string): number | undefined => at('os', BUSY)?.cpuUs[role]?.median;
  return {
    callP50OverRequestOs: rounded(over(p50('os'), p50(REQUEST)), 2),
    callP50OverRequestFsync: rounded(over(p50('fsync'), p50(REQUEST)), 2),
    callsPerSecondOs256: rounded(rate('os'), 0),
    callsPerSecondFsync256: rounded(rate('fsync'), 0),
    callsOverRequestsOs256: rounded(over(rate('os'), rate(REQUEST)), 3),
    serverUsPerCall: rounded(cpu('server'), 1),
    brokerUsPerCall: rounded(cpu('broker'), 1),
    hostUsPerCall: rounded(cpu('host'), 1),
    tracedOverOs256: rounded(over(rate(TRACED), rate('os')), 3),
    tracesUsPerCall: rounded(at(TRACED, BUSY)?.cpuUs.traces?.median, 1),
    overRestate256: rounded(over(rate('fsync'), rate(RESTATE)), 2),
    overRestateP50: rounded(over(p50(RESTATE), p50('fsync')), 2),
    overRestateOs256: rounded(over(rate('os'), rate(RESTATE)), 2),
    pubRecordedPerSecond: rounded(commands.pub?.recordedPerSecond, 0),
    pubHandledPerSecond: rounded(commands.pub?.handledPerSecond, 0),
    pubJRecordedPerSecond: rounded(commands.pubJ?.recordedPerSecond, 0),
    pubJHandledPerSecond: rounded(commands.pubJ?.handledPerSecond, 0),
  };
};
