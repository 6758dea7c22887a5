import { parseDecimal, type Sampler, samplerOf } from './trace-sampler.js';

/** Where and how spans are exported. */
export interface TraceSettings {
  /** The address that takes the spans. */
  readonly url: string;
  /** The same without a credential or a query, for people. */
  readonly shownUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly gzip: boolean;
  /** `service.name` of all spans; undefined: the name of the module. */
  readonly service: string | undefined;
  /** What the spans have of the place where the broker runs. */
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: Sampler;
  /** How long a span may wait for others, and the most that one request has. */
  readonly delayMs: number;
  readonly mostSpans: number;
}

/** What the environment says of traces. */
export interface FoundTraceSettings {
  /** Undefined: no spans are exported. */
  readonly settings: TraceSettings | undefined;
  /** What could not be used, one sentence each. */
  readonly problems: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const PATH = '/v1/traces';
const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_DELAY_MS = 1_000;
const DEFAULT_SPANS = 512;
const MOST_MS = 600_000;
const MOST_SPANS = 10_000;
const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

/** Reads the variables, and keeps what it cannot use. The specification: an empty variable counts as none. */
class Reading {
  readonly problems: string[] = [];

  constructor(private readonly env: Environment) {}

  text(...names: readonly string[]): string | undefined {
    for (const name of names) {
      const value = this.env[name]?.trim();
      if (value !== undefined && value !== '') return value;
    }
    return undefined;
  }

  number(most: number, fallback: number, ...names: readonly string[]): number {
    const text = this.text(...names);
    if (text === undefined) return fallback;
    const value = parseDecimal(text);
    if (value !== undefined && Number.isInteger(value) && value >= 1 && value <= most) return value;
    this.problems.push(`${names.at(-1)} is no whole number from 1 to ${most}; ${fallback} counts`);
    return fallback;
  }

  /** `key=value,key=value`, with values as in a URL. */
  pairs(name: string, isGood: (key: string, value: string) => boolean): Record<string, string> {
    const pairs: Record<string, string> = {};
    for (const part of (this.text(name) ?? '').split(',')) {
      if (part.trim() === '') continue;
      const at = part.indexOf('=');
      const key = part.slice(0, Math.max(0, at)).trim();
      const value = decoded(part.slice(at + 1).trim());
      if (key !== '' && value !== undefined && isGood(key, value)) pairs[key] = value;
      // The value may be a secret, and so may a key that is none.
      else this.problems.push(`${name} has a part that is no key=value; it does not count`);
    }
    return pairs;
  }
}

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

const urlIn = (reading: Reading): URL | undefined => {
  const own = reading.text('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const base = reading.text('OTEL_EXPORTER_OTLP_ENDPOINT');
  const name = own === undefined ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
  const text = own ?? (base === undefined ? undefined : `${base.replace(/\/+$/, '')}${PATH}`);
  if (text === undefined) return undefined;
  try {
    const url = new URL(text);
    if (/^https?:/.test(url.href)) return url;
  } catch {
    // Told below.
  }
  reading.problems.push(`${name} is no address that begins with http:// or https://; no traces are exported`);
  return undefined;
};

/** Without the credential: `fetch` refuses an address that has one. */
const basicOf = ({ username, password }: URL): Readonly<Record<string, string>> =>
  username === '' && password === ''
    ? {}
    : { authorization: `Basic ${btoa(`${decoded(username) ?? username}:${decoded(password) ?? password}`)}` };

const withoutCredential = (url: URL, keepsQuery: boolean): string => {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  if (!keepsQuery) shown.search = '';
  shown.hash = '';
  return shown.href;
};

const isOff = (reading: Reading): boolean => {
  if (reading.text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return true;
  const exporters = reading.text('OTEL_TRACES_EXPORTER') ?? 'otlp';
  return !exporters.split(',').some((each) => each.trim() === 'otlp');
};

/** Whether the protocol can be spoken. JSON goes to the same address as the other form over HTTP. */
const speaks = (reading: Reading): boolean => {
  const names = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'];
  const protocol = reading.text(...names) ?? 'http/json';
  if (protocol === 'http/json' || protocol === 'http/protobuf') return true;
  reading.problems.push(
    'OTEL_EXPORTER_OTLP_PROTOCOL is not http/json or http/protobuf; no traces are exported',
  );
  return false;
};

/**
 * What the standard environment variables of OpenTelemetry say of traces. A value that cannot be used does not count,
 * as the specification says, and the reader is told of it.
 */
export const traceSettings = (env: Environment): FoundTraceSettings => {
  const reading = new Reading(env);
  const { problems } = reading;
  if (isOff(reading)) return { settings: undefined, problems };
  const url = urlIn(reading);
  if (url === undefined || !speaks(reading)) return { settings: undefined, problems };
  const isHeader = (key: string, value: string): boolean => HEADER_NAME.test(key) && HEADER_VALUE.test(value);
  const { 'service.name': named, ...resource } = reading.pairs('OTEL_RESOURCE_ATTRIBUTES', () => true);
  const timeoutNames = ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'];
  const compressionNames = ['OTEL_EXPORTER_OTLP_TRACES_COMPRESSION', 'OTEL_EXPORTER_OTLP_COMPRESSION'];
  const sampler = samplerOf(reading.text('OTEL_TRACES_SAMPLER'), reading.text('OTEL_TRACES_SAMPLER_ARG'));
  if (sampler.problem !== undefined) problems.push(sampler.problem);
  const settings: TraceSettings = {
    url: withoutCredential(url, true),
    shownUrl: withoutCredential(url, false),
    headers: {
      ...basicOf(url),
      ...reading.pairs('OTEL_EXPORTER_OTLP_HEADERS', isHeader),
      ...reading.pairs('OTEL_EXPORTER_OTLP_TRACES_HEADERS', isHeader),
    },
    timeoutMs: reading.number(MOST_MS, DEFAULT_TIMEOUT_MS, ...timeoutNames),
    gzip: reading.text(...compressionNames) === 'gzip',
    service: reading.text('OTEL_SERVICE_NAME') ?? named,
    resource,
    sampler: sampler.sampler,
    delayMs: reading.number(MOST_MS, DEFAULT_DELAY_MS, 'OTEL_BSP_SCHEDULE_DELAY'),
    mostSpans: reading.number(MOST_SPANS, DEFAULT_SPANS, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE'),
  };
  return { settings, problems };
};
