import accounts from '../accounts/index.js';
import agents from '../agents/index.js';
import { defineModule, ok, Refused, reject, type Send, send } from '../sdk/index.js';
import {
  isOrderName,
  MAX_TOTAL,
  NoInput,
  OfOrder,
  ORDER_PREFIX,
  OrderConfirmed,
  OrderFulfilled,
  OrderPlaced,
  OrderRefunded,
  OrderRefused,
  OrderRequest,
  OrderShown,
  RefundPaid,
  StockAdded,
  StockReservation,
  StockShown,
} from './orders-schemas.js';
import {
  INITIAL_ORDERS_STATE,
  type OrdersState,
  type Reason,
  reservationOf,
  restocked,
  stockOf,
  shownStock,
  shownStockOf,
  withChangedOrder,
  withOrder,
  withoutReservation,
  withReservation,
} from './orders-state.js';

const DAY_MS = 86_400_000;

const unknownOrder = (name: string) => reject('ORDER_UNKNOWN', `no order ${name} has been placed`);
const notReserved = (item: string, order: string) =>
  reject('NOT_RESERVED', `${item}: nothing is reserved for order ${order}`);

/** An item has so many reserved for the order, or it refuses. */
const whenReserved = <A>(
  state: OrdersState,
  item: string,
  order: string,
  decide: (stock: ReturnType<typeof shownStockOf>, quantity: number) => A,
) => {
  const stock = stockOf(state);
  const quantity = reservationOf(stock, order);
  return quantity === undefined ? notReserved(item, order) : decide(shownStockOf(stock), quantity);
};

/** Takes orders: reserves the item in its stock, and charges the account of the customer. */
export default defineModule({
  name: 'orders',
  version: '1.0.0',
  index: ['order.status'],
  description:
    'Orders: stock is reserved, the customer pays, and what was done is undone when a later step is refused.',
  dependencies: { accounts: ['withdraw', 'deposit'], agents: ['assign', 'release'] },
  state: INITIAL_ORDERS_STATE,
  events: {
    order_confirmed: {
      data: OrderConfirmed,
      evolve: (state, details) =>
        withOrder(state, { ...details, status: 'confirmed', reason: null, refundOwed: 0 }),
    },
    order_refused: {
      data: OrderRefused,
      evolve: (state, details) => withOrder(state, { ...details, status: 'refused' }),
    },
    order_fulfilled: {
      data: NoInput,
      evolve: (state) => withChangedOrder(state, (order) => ({ ...order, status: 'fulfilled' })),
    },
    refund_paid: {
      data: RefundPaid,
      evolve: (state, { amount }) =>
        withChangedOrder(state, (order) => ({ ...order, refundOwed: order.refundOwed - amount })),
    },
    restocked: { data: StockAdded, evolve: (state, { quantity }) => restocked(state, quantity) },
    stock_reserved: {
      data: StockReservation,
      evolve: (state, { order, quantity }) => withReservation(state, order, quantity),
    },
    stock_unreserved: {
      data: StockReservation,
      evolve: (state, { order }) => withoutReservation(state, order, 0),
    },
    stock_sold: {
      data: StockReservation,
      evolve: (state, { order, quantity }) => withoutReservation(state, order, quantity),
    },
  },
  actions: {
    place: {
      description:
        'Agent: the order, named order-…. Reserves, takes the money, assigns the conversation to the customer.',
      // An order waits for a module that is away instead of ending with a step whose outcome is unknown.
      deadlineMs: DAY_MS,
      concurrency: 1_000,
      input: OrderRequest,
      output: OrderPlaced,
      rejections: ['NOT_AN_ORDER', 'ALREADY_PLACED', 'TOTAL_TOO_HIGH'],
      /**
       * Carries an order out, or undoes it as far as it got. A refusal is a result in the log, so a refused step has
       * done nothing: only the steps before it are undone. The results are in the log too: a run after a crash gets the
       * same ones and ends the same.
       *
       * The reservation goes back by a command of the result itself. It is never lost, and the item cannot refuse it.
       * The money goes back by a call, since `accounts` can refuse: the account may have reached its ceiling meanwhile.
       * Another call at once would meet the same ceiling, and a handler must not wait for it. So the order records what
       * it owes, in the same result that ends it, and `settle` pays that later.
       */
      run: async ({ order }, request, { agent: name, conversation, call, saga, self }) => {
        if (!isOrderName(name))
          return reject('NOT_AN_ORDER', `the name of an order begins with ${ORDER_PREFIX}: ${name}`);
        if (order !== undefined) {
          const text = `order ${name} is ${order.status}: place another one under another name`;
          return reject('ALREADY_PLACED', text);
        }
        const { item, quantity, unitPrice, customer } = request;
        const total = quantity * unitPrice;
        if (total > MAX_TOTAL) {
          return reject('TOTAL_TOO_HIGH', `${quantity} at ${unitPrice} is ${total}, above ${MAX_TOTAL}`);
        }
        const details = { ...request, total, conversation };
        let step: Reason['step'] = 'reserve';
        let owed = 0;
        const unreserve: Send[] = [];
        try {
          return await saga(async (undo) => {
            await call(self, 'reserve', item, { order: name, quantity });
            undo(() => unreserve.push(send(self, 'unreserve', item, { order: name })));
            step = 'pay';
            await call(accounts, 'withdraw', customer, { amount: total });
            undo(async () => {
              const refund = await call.try(accounts, 'deposit', customer, { amount: total });
              if (refund._tag === 'Left') owed = total;
            });
            step = 'assign';
            const assigned = await call.try(agents, 'assign', customer, { conversation });
            // Two orders of one conversation are fine: what is wanted is that the customer has it, not who gave it.
            if (assigned._tag === 'Left' && assigned.left.code !== 'ALREADY_ASSIGNED') throw assigned.left;
            const confirm = send(self, 'confirm', item, { order: name });
            return ok({ status: 'confirmed', total }, { order_confirmed: details }, [confirm]);
          });
        } catch (refused) {
          if (!(refused instanceof Refused)) throw refused;
          const why = { step, code: refused.code, message: refused.error.message };
          // An event, not a rejection: the order's history has to show what was tried and undone.
          const event = { ...details, reason: why, refundOwed: owed };
          return ok(
            { status: 'refused', reason: why, refundOwed: owed },
            { order_refused: event },
            unreserve,
          );
        }
      },
    },
    fulfil: {
      description: 'Agent: the order. The goods are with the customer, whose conversation ends.',
      input: NoInput,
      output: OrderFulfilled,
      rejections: ['ORDER_UNKNOWN', 'NOT_CONFIRMED'],
      decide: ({ order }, _, { agent: name }) => {
        if (order === undefined) return unknownOrder(name);
        const { status, customer, conversation } = order;
        return status === 'confirmed'
          ? ok({ status: 'fulfilled' }, { order_fulfilled: {} }, [
              send(agents, 'release', customer, { conversation }),
            ])
          : reject('NOT_CONFIRMED', `order ${name} is ${status}`);
      },
    },
    settle: {
      description:
        'Agent: the order. Gives back the money that could not be given back when the order was refused.',
      deadlineMs: DAY_MS,
      input: NoInput,
      output: OrderRefunded,
      rejections: ['ORDER_UNKNOWN', 'REFUND_REFUSED'],
      run: async ({ order }, _, { agent: name, call }) => {
        if (order === undefined) return unknownOrder(name);
        const { refundOwed: amount, customer } = order;
        if (amount === 0) return ok({ refunded: 0 });
        const refund = await call.try(accounts, 'deposit', customer, { amount });
        if (refund._tag === 'Right') return ok({ refunded: amount }, { refund_paid: { amount } });
        const text = `${amount} are still owed to ${customer}: ${refund.left.message}`;
        return reject('REFUND_REFUSED', text, { retryable: true });
      },
    },
    show: {
      description: 'Agent: the order. What became of it.',
      input: NoInput,
      output: OrderShown,
      rejections: ['ORDER_UNKNOWN'],
      decide: ({ order }, _, { agent: name }) => (order === undefined ? unknownOrder(name) : ok(order)),
    },
    restock: {
      description: 'Agent: the item. Adds to its stock.',
      input: StockAdded,
      output: StockShown,
      rejections: ['NOT_AN_ITEM', 'LIMIT_EXCEEDED'],
      decide: (state, { quantity }, { agent: item }) => {
        if (isOrderName(item))
          return reject('NOT_AN_ITEM', `${item} names an order: no item begins with ${ORDER_PREFIX}`);
        const { onHand, reserved } = shownStockOf(stockOf(state));
        const max = Number.MAX_SAFE_INTEGER;
        return quantity > max - onHand
          ? reject('LIMIT_EXCEEDED', `${item}: ${onHand} and ${quantity} more is above ${max}`)
          : ok(shownStock(onHand + quantity, reserved), { restocked: { quantity } });
      },
    },
    stock: {
      description: 'Agent: the item. How many there are.',
      input: NoInput,
      output: StockShown,
      decide: (state) => ok(shownStockOf(stockOf(state))),
    },
    reserve: {
      description: 'Agent: the item. Keeps some of it for an order.',
      callers: 'self',
      input: StockReservation,
      output: StockShown,
      rejections: ['ALREADY_RESERVED', 'OUT_OF_STOCK'],
      decide: (state, reservation, { agent: item }) => {
        const { order, quantity } = reservation;
        const stock = stockOf(state);
        const { onHand, reserved, available } = shownStockOf(stock);
        const held = reservationOf(stock, order);
        if (held !== undefined)
          return reject('ALREADY_RESERVED', `${item}: ${held} are reserved for order ${order}`);
        return quantity > available
          ? reject('OUT_OF_STOCK', `${item}: ${available} are available, ${quantity} are wanted`)
          : ok(shownStock(onHand, reserved + quantity), { stock_reserved: reservation });
      },
    },
    unreserve: {
      description: 'Agent: the item. Ends a reservation; the stock is available again.',
      callers: 'self',
      input: OfOrder,
      output: StockShown,
      rejections: ['NOT_RESERVED'],
      decide: (state, { order }, { agent: item }) =>
        whenReserved(state, item, order, ({ onHand, reserved }, quantity) =>
          ok(shownStock(onHand, reserved - quantity), { stock_unreserved: { order, quantity } }),
        ),
    },
    confirm: {
      description: 'Agent: the item. Ends a reservation; the stock is sold.',
      callers: 'self',
      input: OfOrder,
      output: StockShown,
      rejections: ['NOT_RESERVED'],
      decide: (state, { order }, { agent: item }) =>
        whenReserved(state, item, order, ({ onHand, reserved }, quantity) =>
          ok(shownStock(onHand - quantity, reserved - quantity), { stock_sold: { order, quantity } }),
        ),
    },
  },
});
