/** A part of the document. */
export type OpenApiPart = object;

export interface Parameter {
  readonly in: 'query' | 'header';
  readonly description: string;
  readonly schema?: OpenApiPart;
}

/** One request of the API, as OpenAPI tells of it. A test compares these with the routes that are served. */
export interface ApiRequest {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** The body: undefined, there is none. */
  readonly body?: { readonly description: string; readonly schema: OpenApiPart };
  readonly answer: {
    readonly status: number;
    readonly description: string;
    readonly type?: string;
    readonly schema: OpenApiPart;
    readonly headers?: OpenApiPart;
  };
}

export const seq: OpenApiPart = { type: 'integer', minimum: 1 };

export const read = (
  path: string,
  id: string,
  tag: string,
  summary: string,
  answer: ApiRequest['answer'],
  parameters: ApiRequest['parameters'] = {},
): ApiRequest => ({ method: 'get', path, id, tag, summary, parameters, answer });
