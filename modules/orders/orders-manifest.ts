import Type from 'typebox';
import { NAME_PATTERN } from '../../schemas/names.js';
import { defineManifest } from '../sdk/index.js';

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
const Quantity = Type.Integer({ minimum: 1, maximum: 1_000_000 });
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

const Reason = Type.Object(
  {
    step: Type.Enum(['reserve', 'pay', 'assign'], { description: 'What was refused.' }),
    code: Type.String(),
    message: Type.String(),
  },
  Strict,
);
const Request = Type.Object({ item: Item, quantity: Quantity, unitPrice: Money, customer: Name }, Strict);
const Details = {
  ...Request.properties,
  total: Money,
  conversation: Type.Integer({
    minimum: 1,
    description: 'The conversation that the customer is assigned to.',
  }),
};
const Order = Type.Object(
  {
    ...Details,
    status: Type.Enum(['confirmed', 'fulfilled', 'refused']),
    reason: Type.Union([Reason, Type.Null()]),
    refundOwed: Owed,
  },
  Strict,
);
const Stock = Type.Object({ onHand: Count, reserved: Count, available: Count }, Strict);
const Reservation = Type.Object({ order: Name, quantity: Quantity }, Strict);
const OfOrder = Type.Object({ order: Name }, Strict);
const Nothing = Type.Object({}, Strict);

export const ordersManifest = defineManifest({
  name: 'orders',
  version: '1.0.0',
  description:
    'Orders: stock is reserved, the customer pays, and what was done is undone when a later step is refused.',
  actions: {
    place: {
      description:
        'Agent: the order, named order-…. Reserves, takes the money, assigns the conversation to the customer.',
      // An order waits for a module that is away instead of ending with a step whose outcome is unknown.
      deadlineMs: 86_400_000,
      concurrency: 1_000,
      input: Request,
      output: Type.Union([
        Type.Object({ status: Type.Literal('confirmed'), total: Money }, Strict),
        Type.Object({ status: Type.Literal('refused'), reason: Reason, refundOwed: Owed }, Strict),
      ]),
    },
    fulfil: {
      description: 'Agent: the order. The goods are with the customer, whose conversation ends.',
      input: Nothing,
      output: Type.Object({ status: Type.Literal('fulfilled') }, Strict),
    },
    settle: {
      description:
        'Agent: the order. Gives back the money that could not be given back when the order was refused.',
      deadlineMs: 86_400_000,
      input: Nothing,
      output: Type.Object({ refunded: Owed }, Strict),
    },
    show: { description: 'Agent: the order. What became of it.', input: Nothing, output: Order },
    restock: {
      description: 'Agent: the item. Adds to its stock.',
      input: Type.Object({ quantity: Quantity }, Strict),
      output: Stock,
    },
    stock: { description: 'Agent: the item. How many there are.', input: Nothing, output: Stock },
    reserve: {
      description: 'Agent: the item. Keeps some of it for an order.',
      callers: 'self',
      input: Reservation,
      output: Stock,
    },
    unreserve: {
      description: 'Agent: the item. Ends a reservation; the stock is available again.',
      callers: 'self',
      input: OfOrder,
      output: Stock,
    },
    confirm: {
      description: 'Agent: the item. Ends a reservation; the stock is sold.',
      callers: 'self',
      input: OfOrder,
      output: Stock,
    },
  },
  events: {
    order_confirmed: { data: Type.Object(Details, Strict) },
    order_refused: { data: Type.Object({ ...Details, reason: Reason, refundOwed: Owed }, Strict) },
    order_fulfilled: { data: Nothing },
    refund_paid: { data: Type.Object({ amount: Money }, Strict) },
    restocked: { data: Type.Object({ quantity: Quantity }, Strict) },
    stock_reserved: { data: Reservation },
    stock_unreserved: { data: Reservation },
    stock_sold: { data: Reservation },
  },
  dependencies: { accounts: ['withdraw', 'deposit'], agents: ['assign', 'release'] },
  start: { entry: './index.js' },
});
