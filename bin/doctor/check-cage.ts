import { findCage } from '../../system/cage/find-cage.js';
import { type Diagnosis, asOk, asWarning } from './diagnosis.js';

const ADVICE =
  'the broker runs without this layer, and `tallystick start --cage required` does not start; run untrusted modules elsewhere';

/** The layers of the cage that this machine can close around modules. */
export const checkCage = async (find = findCage): Promise<readonly Diagnosis[]> => {
  const found = await find('auto');
  if (found._tag === 'Left') return [asWarning('cage', found.left.message, ADVICE)];
  return found.right.status.layers.map(({ layer, holds, detail }) =>
    holds ? asOk(`cage: ${layer}`, detail) : asWarning(`cage: ${layer}`, detail, ADVICE),
  );
};
