import Type, { type Static } from 'typebox';

const Count = Type.Integer({ minimum: 0 });

const TracesCountSchema = Type.Object(
  {
    exported: Type.Integer({ minimum: 0, description: 'Spans that the collector took.' }),
    failures: Type.Integer({
      minimum: 0,
      description: 'Requests that the collector did not take; each is sent again.',
    }),
    refused: Type.Integer({ minimum: 0, description: 'Spans that the collector refused for ever.' }),
    unsampled: Type.Integer({
      minimum: 0,
      description: 'Spans of traces that the sampler or the sender left out.',
    }),
    skipped: Type.Integer({
      minimum: 0,
      description: 'Records without spans, because the export was too far behind.',
    }),
    lag: Type.Integer({ minimum: 0, description: 'Records whose spans are not exported yet.' }),
  },
  { description: 'The export of traces since the start of the broker.' },
);
export type TracesCount = Readonly<Static<typeof TracesCountSchema>>;

export const BrokerCountersSchema = Type.Object(
  {
    refused: Type.Record(Type.String(), Count, {
      description: 'Requests that were refused since the start of the broker, by code.',
    }),
    dead: Type.Record(Type.String(), Type.Record(Type.String(), Count), {
      description: 'Dead letters that were stored since the start of the broker, by module and code.',
    }),
    journal: Type.Object(
      { pending: Count, inFlight: Count, bytes: Count, fence: Count, groups: Count, grouped: Count },
      {
        description:
          "The broker's own records: those that are not stored yet, those of them that are sent, their bytes, the sequence at which its epoch began, the groups that it has sent as one batch, and the records in these.",
      },
    ),
    indexLag: Type.Integer({ minimum: 0, description: 'Records of the log that the index has not read.' }),
    schedulesLate: Type.Integer({ minimum: 0, description: 'Schedules that are due since more than 5 s.' }),
    network: Type.Union([Type.Object({ inBytes: Count, outBytes: Count, connections: Count }), Type.Null()], {
      description: 'What the server has received and sent; null: it does not tell.',
    }),
    traces: Type.Optional(
      Type.Union([TracesCountSchema, Type.Null()], { description: 'null: no traces are exported.' }),
    ),
  },
  {
    description:
      'What the broker counts for `/metrics`: in the reply to `ops.status` if the request has `counters`.',
  },
);
export type BrokerCounters = Readonly<Static<typeof BrokerCountersSchema>>;

/** What the server says of its traffic. */
export type ServerTraffic = NonNullable<BrokerCounters['network']>;
