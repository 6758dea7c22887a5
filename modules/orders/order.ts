import { chainW, type Either, map, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { agentsManifest as agents } from '../agents/agents-manifest.js';
import {
  type ActionName,
  type Command,
  type Input,
  type Rejection,
  reject,
  type Run as RunOf,
  send,
} from '../sdk/index.js';
import { isOrderName, MAX_TOTAL, type ordersManifest, ORDER_PREFIX } from './orders-manifest.js';
import { carryOutOrUndo, refund } from './place.js';
import type { Order, OrderDetails, OrdersState } from './orders-state.js';
import type { OrdersDecide } from './stock.js';

type M = typeof ordersManifest;
type OrdersRun<A extends ActionName<M>> = RunOf<M, OrdersState, A>;

const orderOf = ({ order }: OrdersState, name: string): Either<Rejection, Order> =>
  order === undefined ? reject('ORDER_UNKNOWN', `no order ${name} has been placed`) : right(order);

/** The order as it will be recorded, or why it cannot be tried at all. */
const details = (
  { order }: OrdersState,
  { agent: name, conversation, data }: Command<Input<M, 'place'>>,
): Either<Rejection, OrderDetails> => {
  if (!isOrderName(name))
    return reject('NOT_AN_ORDER', `the name of an order begins with ${ORDER_PREFIX}: ${name}`);
  if (order !== undefined) {
    return reject('ALREADY_PLACED', `order ${name} is ${order.status}: place another one under another name`);
  }
  const total = data.quantity * data.unitPrice;
  return total > MAX_TOTAL
    ? reject('TOTAL_TOO_HIGH', `${data.quantity} at ${data.unitPrice} is ${total}, above ${MAX_TOTAL}`)
    : right({ ...data, total, conversation });
};

export const place: OrdersRun<'place'> = (command, { state, call }) =>
  pipe(
    TE.fromEither(details(state, command)),
    TE.chain((order) => TE.fromTask(carryOutOrUndo(call, order, command.agent))),
  );

export const settleRefund: OrdersRun<'settle'> = ({ agent: name }, { state, call }) =>
  pipe(
    TE.fromEither(orderOf(state, name)),
    TE.chain(({ refundOwed: amount, customer }) =>
      amount === 0
        ? TE.right({ data: { refunded: 0 } })
        : pipe(
            refund(call, customer, amount),
            TE.mapLeft(
              ({ error }): Rejection => ({
                code: 'REFUND_REFUSED',
                message: `${amount} are still owed to ${customer}: ${error.code}: ${error.message}`,
                retryable: true,
              }),
            ),
            TE.map(() => ({
              data: { refunded: amount },
              events: [{ name: 'refund_paid' as const, data: { amount } }],
            })),
          ),
    ),
  );

export const fulfil: OrdersDecide<'fulfil'> = (state, { agent: name }) =>
  pipe(
    orderOf(state, name),
    chainW((order) =>
      order.status === 'confirmed'
        ? right(order)
        : reject('NOT_CONFIRMED', `order ${name} is ${order.status}`),
    ),
    map(({ customer, conversation }) => ({
      data: { status: 'fulfilled' as const },
      events: [{ name: 'order_fulfilled' as const, data: {} }],
      commands: [send(agents, 'release', customer, { conversation })],
    })),
  );

export const showOrder: OrdersDecide<'show'> = (state, { agent: name }) =>
  pipe(
    orderOf(state, name),
    map((order) => ({ data: { ...order } })),
  );
