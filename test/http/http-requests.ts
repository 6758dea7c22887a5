/** What a request over HTTP came to. */
export interface HttpSaid {
  readonly status: number;
  readonly type: string;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

const said = async (response: Response): Promise<HttpSaid> => ({
  status: response.status,
  type: response.headers.get('content-type') ?? '',
  headers: response.headers,
  body: (await response.json()) as Readonly<Record<string, unknown>>,
});

export type HttpHeaders = Readonly<Record<string, string>>;

/** Requests to the HTTP API at an address. */
export const httpAt = (url: string) => ({
  get: async (path: string, headers: HttpHeaders = {}): Promise<HttpSaid> =>
    said(await fetch(url + path, { headers })),
  post: async (path: string, body: string, headers: HttpHeaders = {}): Promise<HttpSaid> =>
    said(
      await fetch(url + path, {
        method: 'POST',
        body,
        headers: { 'Content-Type': 'application/json', ...headers },
      }),
    ),
});

export const bearer = (seed: string): HttpHeaders => ({ Authorization: `Bearer ${seed}` });
