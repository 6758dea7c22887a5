import type { EventOf } from '../sdk/index.js';
import type { ordersManifest } from './orders-manifest.js';

export type OrderEventData<E extends EventOf<typeof ordersManifest>['name']> = Extract<
  EventOf<typeof ordersManifest>,
  { name: E }
>['data'];

export type OrderDetails = OrderEventData<'order_confirmed'>;
export type RefusedOrder = OrderEventData<'order_refused'>;
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

const NO_STOCK: Stock = { onHand: 0, reserved: {} };

export const stockOf = ({ stock }: OrdersState): Stock => stock ?? NO_STOCK;

export const reservedTotal = ({ reserved }: Stock): number =>
  Object.values(reserved).reduce((sum, quantity) => sum + quantity, 0);

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
