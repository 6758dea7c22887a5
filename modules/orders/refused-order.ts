import { ok, type Refused, type Send } from '../sdk/index.js';
import type { OrderDetails, Reason } from './orders-state.js';

/** What an order says of the step that was refused. */
export const reasonOf = (step: Reason['step'], { code, error }: Refused): Reason => ({
  step,
  code,
  message: error.message,
});

/** An event, not a rejection: the order's history has to show what was tried and undone. */
export const refusedOrder = (
  details: OrderDetails,
  reason: Reason,
  refundOwed: number,
  commands: readonly Send[],
) =>
  ok(
    { status: 'refused', reason, refundOwed },
    { order_refused: { ...details, reason, refundOwed } },
    commands,
  );
