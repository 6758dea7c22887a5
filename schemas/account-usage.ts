import Type, { type Static } from 'typebox';

const Count = Type.Integer({ minimum: 0 });

export const AccountUsageSchema = Type.Object(
  {
    account: Type.String(),
    requestsPerSecond: Type.Number({ minimum: 0, description: 'Over the last 5 to 10 s.' }),
    bytesPerSecond: Type.Number({ minimum: 0, description: 'Bytes of these requests.' }),
    inFlight: Type.Integer({ minimum: 0, description: 'Requests without a reply.' }),
    open: Type.Integer({ minimum: 0, description: 'Commands without a result.' }),
    schedules: Count,
    producers: Type.Integer({ minimum: 0, description: 'Open outside producers.' }),
    logBytes: Type.Integer({ minimum: 0, description: 'Bytes of its records in the log.' }),
    requests: Type.Integer({ minimum: 0, description: 'Since the start of the broker.' }),
    refused: Type.Integer({ minimum: 0, description: 'Of these, refused for a limit.' }),
  },
  { description: 'How much of the broker an account uses.' },
);
export type AccountUsage = Readonly<Static<typeof AccountUsageSchema>>;
