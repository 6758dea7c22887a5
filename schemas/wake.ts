import Type, { type Static } from 'typebox';

/**
 * The sender and the producer of wakes: the broker. No account has this name: modules do not begin with `_`, and
 * principals not with two of them.
 */
export const WAITS_SENDER = '__waits';

/** What a wait of a handler ends with: its value, or why it has none. See docs/decisions/0092. */
export const WakeSchema = Type.Union([
  Type.Object({
    status: Type.Literal('ok'),
    value: Type.Optional(
      Type.Unknown({ description: 'What the wait gives to the handler; absent: nothing.' }),
    ),
  }),
  Type.Object({
    status: Type.Literal('failed'),
    error: Type.Object({
      code: Type.String({ description: 'What the wait throws in the handler.' }),
      message: Type.String(),
    }),
  }),
]);
/** The body of a wake's record. */
export type Wake = Static<typeof WakeSchema>;
