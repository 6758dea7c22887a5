/** The process that sends: requests over HTTP by autocannon, and the same over NATS. */
import autocannon from 'autocannon';
import { connect, type NatsConnection } from 'nats';
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import { newHistogram, type Times, timesIn } from '../bench/histogram.js';

export interface HttpAsked {
  /** Without a path: the address. */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** They take turns. */
  readonly paths: readonly string[];
  readonly body?: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface NatsAsked {
  readonly subjects: readonly string[];
  readonly body: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface HttpRun {
  readonly perSecond: number;
  readonly times: Times;
}

export type HttpCallerQuestions = {
  readonly http: { readonly ask: HttpAsked; readonly answer: HttpRun };
  readonly nats: { readonly ask: NatsAsked; readonly answer: HttpRun };
};

const NS_IN_MS = 1_000_000;
const TIMEOUT_MS = 30_000;

const overHttp = async ({ url, method, paths, body, connections, seconds }: HttpAsked): Promise<HttpRun> => {
  const histogram = newHistogram();
  let wrong: number | undefined;
  const from = performance.now();
  const asked: autocannon.Options = {
    url,
    connections,
    duration: seconds,
    requests: paths.map((path) => ({
      method,
      path,
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    })),
  };
  // Its times of each answer come by an event, which the form with a promise does not have.
  const { errors } = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon(asked, (error: Error | null, result) => (error ? reject(error) : resolve(result)));
    run.on('response', (_client, status, _bytes, ms) => {
      if (status >= 300) wrong = status;
      histogram.recordValue(ms * NS_IN_MS);
    });
  });
  if (wrong !== undefined || errors > 0) throw new Error(`${url}: status ${wrong}, ${errors} errors`);
  return {
    perSecond: (histogram.totalCount * 1_000) / (performance.now() - from),
    times: timesIn(histogram),
  };
};

const { nats } = settingOf<{ readonly nats: string }>();
/** Of guests a broker takes 64; more senders share these. */
const MOST_CONNECTIONS = 50;
const open: NatsConnection[] = [];

/** Each sender sends its next request when it has the reply, as autocannon does. */
const overNats = async ({ subjects, body, connections, seconds }: NatsAsked): Promise<HttpRun> => {
  while (open.length < Math.min(connections, MOST_CONNECTIONS)) open.push(await connect({ servers: nats }));
  const histogram = newHistogram();
  const from = performance.now();
  const lane = async (nc: NatsConnection, first: number): Promise<void> => {
    for (let i = first; performance.now() - from < seconds * 1_000; i++) {
      const begun = process.hrtime.bigint();
      const reply = await nc.request(subjects[i % subjects.length] as string, body, { timeout: TIMEOUT_MS });
      histogram.recordValue(Number(process.hrtime.bigint() - begun));
      const text = reply.string();
      if (text.startsWith('{"error"') || text.includes('"status":"rejected"')) throw new Error(text);
    }
  };
  const senders = Array.from({ length: connections }, (_, i) => open[i % open.length] as NatsConnection);
  await Promise.all(senders.map(lane));
  return {
    perSecond: (histogram.totalCount * 1_000) / (performance.now() - from),
    times: timesIn(histogram),
  };
};

answerQuestions<HttpCallerQuestions>({ http: overHttp, nats: overNats });
