import { right } from 'fp-ts/lib/Either.js';
import { type ActionName, type Decide as DecideOf, type Output, reject } from '../sdk/index.js';
import { isOrderName, type ordersManifest, ORDER_PREFIX } from './orders-manifest.js';
import { reservationOf, reservedTotal, type OrdersState, type Stock, stockOf } from './orders-state.js';

type M = typeof ordersManifest;
export type OrdersDecide<A extends ActionName<M>> = DecideOf<M, OrdersState, A>;

const summary = (onHand: number, reserved: number): Output<M, 'stock'> => ({
  onHand,
  reserved,
  available: onHand - reserved,
});

const summaryOf = (stock: Stock): Output<M, 'stock'> => summary(stock.onHand, reservedTotal(stock));

export const showStock: OrdersDecide<'stock'> = (state) => right({ data: summaryOf(stockOf(state)) });

export const restock: OrdersDecide<'restock'> = (state, { agent: item, data: { quantity } }) => {
  if (isOrderName(item))
    return reject('NOT_AN_ITEM', `${item} names an order: no item begins with ${ORDER_PREFIX}`);
  const { onHand, reserved } = summaryOf(stockOf(state));
  return quantity > Number.MAX_SAFE_INTEGER - onHand
    ? reject('LIMIT_EXCEEDED', `${item}: ${onHand} and ${quantity} more is above ${Number.MAX_SAFE_INTEGER}`)
    : right({
        data: summary(onHand + quantity, reserved),
        events: [{ name: 'restocked', data: { quantity } }],
      });
};

export const reserve: OrdersDecide<'reserve'> = (state, { agent: item, data }) => {
  const stock = stockOf(state);
  const { onHand, reserved, available } = summaryOf(stock);
  const held = reservationOf(stock, data.order);
  if (held !== undefined)
    return reject('ALREADY_RESERVED', `${item}: ${held} are reserved for order ${data.order}`);
  return data.quantity > available
    ? reject('OUT_OF_STOCK', `${item}: ${available} are available, ${data.quantity} are wanted`)
    : right({ data: summary(onHand, reserved + data.quantity), events: [{ name: 'stock_reserved', data }] });
};

const notReserved = (item: string, order: string) =>
  reject('NOT_RESERVED', `${item}: nothing is reserved for order ${order}`);

export const unreserve: OrdersDecide<'unreserve'> = (state, { agent: item, data: { order } }) => {
  const stock = stockOf(state);
  const quantity = reservationOf(stock, order);
  return quantity === undefined
    ? notReserved(item, order)
    : right({
        data: summary(stock.onHand, reservedTotal(stock) - quantity),
        events: [{ name: 'stock_unreserved', data: { order, quantity } }],
      });
};

export const confirm: OrdersDecide<'confirm'> = (state, { agent: item, data: { order } }) => {
  const stock = stockOf(state);
  const quantity = reservationOf(stock, order);
  return quantity === undefined
    ? notReserved(item, order)
    : right({
        data: summary(stock.onHand - quantity, reservedTotal(stock) - quantity),
        events: [{ name: 'stock_sold', data: { order, quantity } }],
      });
};
