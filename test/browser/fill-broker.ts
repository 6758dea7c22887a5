import { join } from 'node:path';
import { bearer, type httpAt } from '../http/http-requests.js';
import { DOUBLED, writeStore } from '../http/store-module.js';
import { sourceManifest, writeSourceModule } from '../support/source-module.js';

type Http = ReturnType<typeof httpAt>;

const LOAD_MS = 20;

/** A module that cannot start, and one whose states become wrong: what a person finds in the dashboard. */
export const fillBroker = async (http: Http, seed: string, path: string): Promise<void> => {
  writeSourceModule(join(path, 'broken'), sourceManifest('broken'), {
    'index.js': "throw new Error('the address of the printer is missing');",
  });
  writeStore(join(path, 'store'));
  for (const name of ['broken', 'store'])
    await http.post('/v1/modules', JSON.stringify({ dir: join(path, name), grant: true }), bearer(seed));
  for (const quantity of [3, 8, DOUBLED, 40, 2])
    for (const shelf of ['shelf-1', 'shelf-2'])
      await http.post(`/v1/calls/store/take/${shelf}`, JSON.stringify({ quantity }));
};

/** Deposits, one after the other. */
export const makeLoad = async (http: Http, goesOn: () => boolean): Promise<void> => {
  for (let i = 0; goesOn(); i++) {
    await http
      .post(`/v1/calls/accounts/deposit/customer-${i % 7}`, `{"amount":${1 + (i % 9)}}`)
      .catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, LOAD_MS));
  }
};
