/** Options that not every scenario has a use for. */
export const OWN_OPTIONS = [
  'agents',
  'peers',
  'in-flight',
  'seconds',
  'commands',
  'memory-limit',
  'floods',
  'full',
  'rate',
] as const;
export type OwnOption = (typeof OWN_OPTIONS)[number];

/** How a scenario is run. */
export interface ScenarioOptions {
  /** Records that a round handles; each scenario has a default that takes seconds. */
  readonly records?: number;
  readonly rounds?: number;
  /** Numbers of agents to measure with. */
  readonly agents?: readonly number[];
  /** Names of the peers to measure too, all of the scenario's {@link Scenario.peers}; default: all. */
  readonly peers?: readonly string[];
  /** Numbers of calls in flight to measure with. */
  readonly inFlight?: readonly number[];
  /** Commands to send that no caller waits for; 0: none. */
  readonly commands?: number;
  /** Length of one measurement. */
  readonly seconds?: number;
  /** What the server aims to stay below, bytes; without it, as a broker gives its own. */
  readonly memoryLimitBytes?: number;
  /** Parts of the names of floods to measure; default: all. */
  readonly floods?: readonly string[];
  /** Calls a second. */
  readonly rate?: number;
  /** The loads in the lengths that are asked for, hours. */
  readonly full?: boolean;
  /** Progress, for stderr. */
  readonly say: (line: string) => void;
}

export interface ReportTable {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Bars for people who look once: one group a name, one bar a value. */
export interface ReportChart {
  /** Of its file: letters and hyphens. */
  readonly name: string;
  readonly title: string;
  /** What a bar says, such as `messages a second`. */
  readonly unit: string;
  /** `log`: values that are powers of ten apart. */
  readonly scale: 'linear' | 'log';
  readonly bars: readonly {
    readonly label: string;
    readonly value: number;
    /** Where bars differ in it, those that are not own are grey. */
    readonly isOwn?: boolean;
  }[];
}

/** What a scenario found: plain data for programs, the same as tables and charts for people. */
export interface Report {
  readonly data: Readonly<Record<string, unknown>>;
  readonly tables: readonly ReportTable[];
  readonly charts?: readonly ReportChart[];
}

export interface Scenario {
  readonly name: string;
  /** One line for the list of scenarios. */
  readonly summary: string;
  readonly takes?: readonly OwnOption[];
  /** What it can be compared with. */
  readonly peers?: readonly string[];
  readonly run: (options: ScenarioOptions) => Promise<Report>;
}
