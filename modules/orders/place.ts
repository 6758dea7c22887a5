import { pipe } from 'fp-ts/lib/function.js';
import * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Refusal } from '../../schemas/result.js';
import { accountsManifest as accounts } from '../accounts/accounts-manifest.js';
import { agentsManifest as agents } from '../agents/agents-manifest.js';
import { type Decision, type EffectContext, type EventOf, type Output, send } from '../sdk/index.js';
import { ordersManifest } from './orders-manifest.js';
import type { OrderDetails, Reason, OrdersState } from './orders-state.js';

type Placed = Decision<Output<typeof ordersManifest, 'place'>, EventOf<typeof ordersManifest>>;
export type OrdersCall = EffectContext<OrdersState, EventOf<typeof ordersManifest>>['call'];

/** Which step was refused, and what had been done before it. */
interface Failed {
  readonly reason: Reason;
  readonly reserved: boolean;
  readonly paid: boolean;
}

/** Gives the customer money back. */
export const refund = (call: OrdersCall, customer: string, amount: number): TE.TaskEither<Refusal, unknown> =>
  call(accounts, 'deposit', customer, { amount });

/** Two orders of one conversation are fine: what is wanted is that the customer has it, not who gave it. */
const assign = (
  call: OrdersCall,
  { customer, conversation }: OrderDetails,
): TE.TaskEither<Refusal, unknown> =>
  pipe(
    call(agents, 'assign', customer, { conversation }),
    TE.orElse(
      (refusal): TE.TaskEither<Refusal, unknown> =>
        refusal.error.code === 'ALREADY_ASSIGNED' ? TE.right(undefined) : TE.left(refusal),
    ),
  );

/**
 * A refusal is a result in the log, so a refused step has done nothing: only the steps before it are undone.
 * The answers are in the log too: a run after a crash gets the same ones and ends the same.
 */
const failing =
  (step: Reason['step'], done: Omit<Failed, 'reason'>) =>
  ({ error: { code, message } }: Refusal): Failed => ({ reason: { step, code, message }, ...done });

const carryOut = (call: OrdersCall, details: OrderDetails, order: string): TE.TaskEither<Failed, unknown> =>
  pipe(
    call(ordersManifest, 'reserve', details.item, { order, quantity: details.quantity }),
    TE.mapLeft(failing('reserve', { reserved: false, paid: false })),
    TE.chain(() =>
      pipe(
        call(accounts, 'withdraw', details.customer, { amount: details.total }),
        TE.mapLeft(failing('pay', { reserved: true, paid: false })),
      ),
    ),
    TE.chain(() =>
      pipe(assign(call, details), TE.mapLeft(failing('assign', { reserved: true, paid: true }))),
    ),
  );

const confirmed = (details: OrderDetails, order: string): Placed => ({
  data: { status: 'confirmed', total: details.total },
  events: [{ name: 'order_confirmed', data: details }],
  commands: [send(ordersManifest, 'confirm', details.item, { order })],
});

/** An event, not a rejection: the order's history has to show what was tried and undone. */
const refused = (details: OrderDetails, order: string, failed: Failed, refundOwed: number): Placed => ({
  data: { status: 'refused', reason: failed.reason, refundOwed },
  events: [{ name: 'order_refused', data: { ...details, reason: failed.reason, refundOwed } }],
  commands: failed.reserved ? [send(ordersManifest, 'unreserve', details.item, { order })] : [],
});

/**
 * Undoes in reverse. The reservation goes back by a command of the decision itself, which is never lost and which the
 * item cannot refuse. The money goes back by a call, since `accounts` can refuse: the account may have reached its
 * ceiling meanwhile. Trying again at once would meet the same ceiling, and a handler must not wait for it, so the
 * order records what it owes, in the same decision that ends it, and `settle` pays that later.
 */
const undo = (call: OrdersCall, details: OrderDetails, order: string, failed: Failed): T.Task<Placed> =>
  failed.paid
    ? pipe(
        refund(call, details.customer, details.total),
        TE.match(
          () => refused(details, order, failed, details.total),
          () => refused(details, order, failed, 0),
        ),
      )
    : T.of(refused(details, order, failed, 0));

/** Carries an order out, or undoes it as far as it got; it never ends in between. */
export const carryOutOrUndo = (call: OrdersCall, details: OrderDetails, order: string): T.Task<Placed> =>
  pipe(
    carryOut(call, details, order),
    TE.matchE(
      (failed) => undo(call, details, order, failed),
      () => T.of(confirmed(details, order)),
    ),
  );
