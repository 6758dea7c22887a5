import { NAME_PATTERN } from '../../schemas/names.js';
import { Type } from '../sdk/index.js';

/** What one order may cost; an amount of `accounts`. */
export const MAX_TOTAL = 1_000_000_000_000;

/**
 * Orders and items are agents of one module, and an order that is being placed waits for its item. Were an item's name
 * free, `x` could wait for `y` while `y` waits for `x`; so their names differ, and no handler waits for an order.
 */
export const ORDER_PREFIX = 'order-';

export const isOrderName = (name: string): boolean => name.startsWith(ORDER_PREFIX);

const Strict = { additionalProperties: false } as const;
const Name = Type.String({ pattern: NAME_PATTERN });
const Item = Type.String({ pattern: `^(?!${ORDER_PREFIX})[A-Za-z0-9_-]{1,64}$` });
const Count = Type.Integer({ minimum: 0 });
const Money = Type.Integer({
  minimum: 1,
  maximum: MAX_TOTAL,
  description: 'In the smallest unit of the currency.',
});
const Owed = Type.Integer({
  minimum: 0,
  maximum: MAX_TOTAL,
  description: 'Money to be given back; smallest unit.',
});
const Quantity = Type.Integer({ minimum: 1, maximum: 1_000_000 });
const Reason = Type.Object(
  {
    step: Type.Enum(['reserve', 'pay', 'assign'], { description: 'What was refused.' }),
    code: Type.String(),
    message: Type.String(),
  },
  Strict,
);

export const NoInput = Type.Object({}, Strict);
export const OrderRequest = Type.Object(
  { item: Item, quantity: Quantity, unitPrice: Money, customer: Name },
  Strict,
);
const details = {
  ...OrderRequest.properties,
  total: Money,
  conversation: Type.Integer({
    minimum: 1,
    description: 'The conversation that the customer is assigned to.',
  }),
};
/** The schema of the event of a confirmed order. */
export const OrderConfirmed = Type.Object(details, Strict);
/** The schema of the event of a refused order, with the reason. */
export const OrderRefused = Type.Object({ ...details, reason: Reason, refundOwed: Owed }, Strict);
export const OrderShown = Type.Object(
  {
    ...details,
    status: Type.Enum(['confirmed', 'fulfilled', 'refused']),
    reason: Type.Union([Reason, Type.Null()]),
    refundOwed: Owed,
  },
  Strict,
);
export const OrderPlaced = Type.Union([
  Type.Object({ status: Type.Literal('confirmed'), total: Money }, Strict),
  Type.Object({ status: Type.Literal('refused'), reason: Reason, refundOwed: Owed }, Strict),
]);
export const OrderFulfilled = Type.Object({ status: Type.Literal('fulfilled') }, Strict);
export const OrderRefunded = Type.Object({ refunded: Owed }, Strict);
export const RefundPaid = Type.Object({ amount: Money }, Strict);

export const StockAdded = Type.Object({ quantity: Quantity }, Strict);
export const StockShown = Type.Object({ onHand: Count, reserved: Count, available: Count }, Strict);
export const StockReservation = Type.Object({ order: Name, quantity: Quantity }, Strict);
export const OfOrder = Type.Object({ order: Name }, Strict);
