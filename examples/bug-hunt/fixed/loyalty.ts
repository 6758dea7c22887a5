import { defineModule, ok, reject, Type } from 'tallystick';

interface Loyalty {
  readonly points: number;
  readonly isGold: boolean;
  readonly purchases: readonly { readonly amount: number; readonly points: number }[];
}

const Amount = Type.Object({ amount: Type.Integer({ minimum: 1 }) });
const Points = Type.Object({ points: Type.Integer() });
const Purchase = Type.Object({ amount: Type.Integer(), points: Type.Integer() });
const none: Loyalty = { points: 0, isGold: false, purchases: [] };

/** One point for every ten that a customer spends, two for a customer who once had a hundred points. */
const worth = ({ isGold }: Loyalty, amount: number): number => Math.floor(amount / 10) * (isGold ? 2 : 1);

export default defineModule({
  name: 'loyalty',
  version: '1.0.1',
  description: 'Points for what customers spend.',
  state: none,
  events: {
    earned: {
      data: Purchase,
      evolve: (state, purchase) => ({
        points: state.points + purchase.points,
        isGold: state.isGold || state.points + purchase.points >= 100,
        purchases: [...state.purchases, purchase],
      }),
    },
    lost: {
      data: Purchase,
      evolve: (state, { amount, points }) => {
        const at = state.purchases.findIndex((purchase) => purchase.amount === amount);
        return {
          ...state,
          points: state.points - points,
          purchases: state.purchases.filter((_, i) => i !== at),
        };
      },
    },
  },
  actions: {
    buy: {
      input: Amount,
      output: Points,
      decide: (state, { amount }) => {
        const points = worth(state, amount);
        return ok({ points }, { earned: { amount, points } });
      },
    },
    give_back: {
      input: Amount,
      output: Points,
      rejections: ['NOT_BOUGHT'],
      decide: (state, { amount }) => {
        const bought = state.purchases.find((purchase) => purchase.amount === amount);
        if (bought === undefined) return reject('NOT_BOUGHT', `nothing was bought for ${amount}`);
        // The points of that purchase, and not what it would be worth today.
        const { points } = bought;
        return ok({ points: -points }, { lost: { amount, points } });
      },
    },
  },
});
