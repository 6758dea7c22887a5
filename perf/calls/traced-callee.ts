import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Reaper } from '../../system/processes/reaper.js';
import { brokerProcesses, processOf } from '../bench/broker-processes.js';
import { BUSY, type Callee, startBrokerCallee } from './callees.js';

/** The name of the broker that exports traces. The others have no process for that. */
export const TRACED = 'traced';

/** A collector that takes each request, and keeps nothing. */
const startSink = async () => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

/** A broker with durability `os` that exports a trace of each call. */
export const startTracedCallee = async (reaper: Reaper): Promise<Callee> => {
  const sink = await startSink();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url };
  const callee = await startBrokerCallee({ name: TRACED, durability: 'os', env }, reaper);
  const { broker } = await brokerProcesses(callee.dataDir);
  return {
    ...callee,
    pids: { ...callee.pids, traces: await processOf(broker, 'traces-main') },
    only: [1, BUSY],
    [Symbol.asyncDispose]: async () => {
      await callee[Symbol.asyncDispose]();
      sink.close();
    },
  };
};
