import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { HttpHeaders } from './http-requests.js';

/** What a request with TLS came to. */
export interface HttpsSaid {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

export interface HttpsFiles {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

/** A client of the HTTP API with TLS. It closes its connections when it ends. */
export const httpsAt = (url: string, { ca, cert, key }: HttpsFiles) => {
  const agent = new Agent({
    keepAlive: true,
    ca: readFileSync(ca),
    ...(cert === undefined || key === undefined ? {} : { cert: readFileSync(cert), key: readFileSync(key) }),
  });
  const ask = (path: string, body: string | undefined, headers: HttpHeaders): Promise<HttpsSaid> =>
    new Promise((resolve, reject) => {
      const asked = request(url + path, {
        agent,
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      });
      asked.on('error', reject);
      asked.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          text += piece;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
        response.on('error', reject);
      });
      asked.end(body);
    });
  return {
    get: (path: string, headers: HttpHeaders = {}) => ask(path, undefined, headers),
    post: (path: string, body: string, headers: HttpHeaders = {}) => ask(path, body, headers),
    [Symbol.dispose]: () => agent.destroy(),
  };
};
