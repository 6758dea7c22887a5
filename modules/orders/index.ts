import { defineModule } from '../sdk/index.js';
import { ordersManifest } from './orders-manifest.js';
import { fulfil, place, settleRefund, showOrder } from './order.js';
import {
  INITIAL_ORDERS_STATE,
  type Order,
  restocked,
  type OrdersState,
  withoutReservation,
  withReservation,
} from './orders-state.js';
import { confirm, reserve, restock, showStock as stock, unreserve } from './stock.js';

const withOrder = (state: OrdersState, change: (order: Order) => Order): OrdersState =>
  state.order === undefined ? state : { ...state, order: change(state.order) };

export default defineModule({
  manifest: ordersManifest,
  initial: INITIAL_ORDERS_STATE,
  actions: {
    place: { run: place },
    fulfil: { decide: fulfil },
    settle: { run: settleRefund },
    show: { decide: showOrder },
    restock: { decide: restock },
    stock: { decide: stock },
    reserve: { decide: reserve },
    unreserve: { decide: unreserve },
    confirm: { decide: confirm },
  },
  evolve: {
    order_confirmed: (state, details): OrdersState => ({
      ...state,
      order: { ...details, status: 'confirmed', reason: null, refundOwed: 0 },
    }),
    order_refused: (state, details): OrdersState => ({ ...state, order: { ...details, status: 'refused' } }),
    order_fulfilled: (state) => withOrder(state, (order) => ({ ...order, status: 'fulfilled' })),
    refund_paid: (state, { amount }) =>
      withOrder(state, (order) => ({ ...order, refundOwed: order.refundOwed - amount })),
    restocked: (state, { quantity }) => restocked(state, quantity),
    stock_reserved: (state, { order, quantity }) => withReservation(state, order, quantity),
    stock_unreserved: (state, { order }) => withoutReservation(state, order, 0),
    stock_sold: (state, { order, quantity }) => withoutReservation(state, order, quantity),
  },
});
