import type { Type } from '../sdk/index.js';
import type { OrderConfirmed, OrderRefused, StockShown } from './orders-schemas.js';

export type OrderDetails = Type.Static<typeof OrderConfirmed>;
export type RefusedOrder = Type.Static<typeof OrderRefused>;
export type Reason = RefusedOrder['reason'];

/** An order that came to an end, one way or the other; one that is being placed has no state yet. */
export type Order = OrderDetails & {
  readonly status: 'confirmed' | 'fulfilled' | 'refused';
  readonly reason: Reason | null;
  /** Money that is still to be given back; smallest unit. */
  readonly refundOwed: number;
};

export interface Stock {
  readonly onHand: number;
  /** What is kept for orders, by order. */
  readonly reserved: Readonly<Record<string, number>>;
}

/** One of the two: an agent is an order, or an item. */
export interface OrdersState {
  readonly order?: Order;
  readonly stock?: Stock;
}

export const INITIAL_ORDERS_STATE: OrdersState = {};

export const withOrder = (state: OrdersState, order: Order): OrdersState => ({ ...state, order });

/** Changes the order, if there is one. */
export const withChangedOrder = (state: OrdersState, change: (order: Order) => Order): OrdersState =>
  state.order === undefined ? state : withOrder(state, change(state.order));

const NO_STOCK: Stock = { onHand: 0, reserved: {} };

export const stockOf = ({ stock }: OrdersState): Stock => stock ?? NO_STOCK;

const reservedTotal = ({ reserved }: Stock): number =>
  Object.values(reserved).reduce((sum, quantity) => sum + quantity, 0);

/** The stock as callers see it. */
export const shownStock = (onHand: number, reserved: number): Type.Static<typeof StockShown> => ({
  onHand,
  reserved,
  available: onHand - reserved,
});

export const shownStockOf = (stock: Stock): Type.Static<typeof StockShown> =>
  shownStock(stock.onHand, reservedTotal(stock));

/** Of an order; own properties only, since `constructor` is a name that an order may have. */
export const reservationOf = ({ reserved }: Stock, order: string): number | undefined =>
  Object.hasOwn(reserved, order) ? reserved[order] : undefined;

export const restocked = (state: OrdersState, quantity: number): OrdersState => {
  const stock = stockOf(state);
  return { ...state, stock: { ...stock, onHand: stock.onHand + quantity } };
};

export const withReservation = (state: OrdersState, order: string, quantity: number): OrdersState => {
  const { onHand, reserved } = stockOf(state);
  return { ...state, stock: { onHand, reserved: { ...reserved, [order]: quantity } } };
};

/** Ends a reservation; `sold` leaves the stock with it. */
export const withoutReservation = (state: OrdersState, order: string, sold: number): OrdersState => {
  const stock = stockOf(state);
  const { [order]: _ended, ...reserved } = stock.reserved;
  return { ...state, stock: { onHand: stock.onHand - sold, reserved } };
};
