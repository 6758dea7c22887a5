import type { TraceSettings } from '../schemas/trace-settings.js';
import type { TraceSpan, SpanValue } from './trace-span.js';

/** Numbers of the protocol: opentelemetry/proto/trace/v1/trace.proto. */
const KINDS = { internal: 1, consumer: 5 } as const;
const STATUS_ERROR = 2;
const SCOPE = 'tallystick';

const anyValue = (value: SpanValue): object => {
  if (typeof value === 'string') return { stringValue: value };
  return typeof value === 'boolean' ? { boolValue: value } : { intValue: `${value}` };
};

const attributesOf = (values: Readonly<Record<string, SpanValue>>): readonly object[] =>
  Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));

const spanOf = (span: TraceSpan): object => ({
  traceId: span.traceId,
  spanId: span.spanId,
  ...(span.state === '' ? {} : { traceState: span.state }),
  ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
  name: span.name,
  kind: KINDS[span.kind],
  startTimeUnixNano: `${span.startNanos}`,
  endTimeUnixNano: `${span.endNanos}`,
  attributes: attributesOf(span.attributes),
  status: span.error === undefined ? {} : { code: STATUS_ERROR, message: span.error },
});

/** What `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` say of the place and of the name of a module. */
export type SpanPlace = Pick<TraceSettings, 'service' | 'resource'>;

/** A request of OTLP over HTTP, as JSON: https://opentelemetry.io/docs/specs/otlp/. A module is a service. */
export const otlpJson = (
  spans: readonly TraceSpan[],
  { service, resource }: SpanPlace,
  version: string,
): string => {
  const byModule = new Map<string, TraceSpan[]>();
  for (const span of spans) {
    const same = byModule.get(span.module);
    if (same === undefined) byModule.set(span.module, [span]);
    else same.push(span);
  }
  return JSON.stringify({
    resourceSpans: [...byModule].map(([module, own]) => ({
      resource: {
        attributes: attributesOf({
          'service.name': service ?? module,
          'service.namespace': 'tallystick',
          'tallystick.module': module,
          ...resource,
        }),
      },
      scopeSpans: [{ scope: { name: SCOPE, version }, spans: own.map(spanOf) }],
    })),
  });
};
