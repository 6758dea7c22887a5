import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import Type, { type Static } from 'typebox';
import Schema from 'typebox/schema';

const exact = { additionalProperties: false };
const AnyValue = Type.Union([
  Type.Object({ stringValue: Type.String() }, exact),
  Type.Object({ boolValue: Type.Boolean() }, exact),
  Type.Object({ intValue: Type.String({ pattern: '^-?\\d+$' }) }, exact),
]);
const Attributes = Type.Array(Type.Object({ key: Type.String({ minLength: 1 }), value: AnyValue }, exact));
const Nanos = Type.String({ pattern: '^\\d{19}$' });

/** `ExportTraceServiceRequest` in the JSON of OTLP, as far as an exporter of spans needs it. */
const RequestSchema = Type.Object(
  {
    resourceSpans: Type.Array(
      Type.Object(
        {
          resource: Type.Object({ attributes: Attributes }, exact),
          scopeSpans: Type.Array(
            Type.Object(
              {
                scope: Type.Object({ name: Type.String(), version: Type.String() }, exact),
                spans: Type.Array(
                  Type.Object(
                    {
                      traceId: Type.String({ pattern: '^(?!0+$)[\\da-f]{32}$' }),
                      spanId: Type.String({ pattern: '^(?!0+$)[\\da-f]{16}$' }),
                      traceState: Type.Optional(Type.String()),
                      parentSpanId: Type.Optional(Type.String({ pattern: '^(?!0+$)[\\da-f]{16}$' })),
                      name: Type.String({ minLength: 1 }),
                      kind: Type.Enum([1, 5]),
                      startTimeUnixNano: Nanos,
                      endTimeUnixNano: Nanos,
                      attributes: Attributes,
                      status: Type.Union([
                        Type.Object({}, exact),
                        Type.Object({ code: Type.Literal(2), message: Type.String() }, exact),
                      ]),
                    },
                    exact,
                  ),
                ),
              },
              exact,
            ),
          ),
        },
        exact,
      ),
    ),
  },
  exact,
);

/** A span as a collector keeps it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly state: string | undefined;
  readonly name: string;
  readonly service: string;
  readonly startNanos: bigint;
  readonly endNanos: bigint;
  /** The code of the error. */
  readonly error: string | undefined;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** What the collector replies: a status, or nothing at all. */
export type CollectorMood = number | 'hangs up';

export interface OtlpReceiver extends AsyncDisposable {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  /** By their ids: a span that came twice is there once. */
  readonly spans: ReadonlyMap<string, ReceivedSpan>;
  /** Requests that were no OTLP. */
  readonly problems: readonly string[];
  /** All bodies, as text. */
  readonly bodies: readonly string[];
  readonly headers: readonly IncomingHttpHeaders[];
  mood: CollectorMood;
}

const valuesOf = (attributes: Static<typeof Attributes>): Record<string, string | number | boolean> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      'intValue' in value
        ? Number(value.intValue)
        : 'boolValue' in value
          ? value.boolValue
          : value.stringValue,
    ]),
  );

/** A collector: it takes OTLP over HTTP as JSON, checks each request against the protocol, and keeps the spans. */
export const otlpReceiver = async (): Promise<OtlpReceiver> => {
  const spans = new Map<string, ReceivedSpan>();
  const [problems, bodies, headers]: [string[], string[], IncomingHttpHeaders[]] = [[], [], []];
  const take = (text: string): void => {
    bodies.push(text);
    const parsed: unknown = JSON.parse(text);
    if (!Schema.Check(RequestSchema, parsed)) {
      problems.push(JSON.stringify(Schema.Errors(RequestSchema, parsed)).slice(0, 500));
      return;
    }
    for (const { resource, scopeSpans } of (parsed as Static<typeof RequestSchema>).resourceSpans) {
      const service = String(valuesOf(resource.attributes)['service.name']);
      for (const span of scopeSpans.flatMap(({ spans: own }) => own)) {
        spans.set(span.spanId, {
          ...span,
          parentSpanId: span.parentSpanId,
          state: span.traceState,
          service,
          startNanos: BigInt(span.startTimeUnixNano),
          endNanos: BigInt(span.endTimeUnixNano),
          error: 'code' in span.status ? span.status.message : undefined,
          attributes: valuesOf(span.attributes),
        });
      }
    }
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (receiver.mood === 'hangs up') return void request.socket.destroy();
      headers.push(request.headers);
      if (receiver.mood !== 200) return void response.writeHead(receiver.mood).end('not now');
      const whole = Buffer.concat(chunks);
      if (request.method !== 'POST' || request.url !== '/v1/traces')
        problems.push(`${request.method} ${request.url}`);
      if (request.headers['content-type'] !== 'application/json') problems.push('no JSON');
      take((request.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole).toString());
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{}}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    problems,
    bodies,
    headers,
    mood: 200,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return receiver;
};
