import { turnOfLength } from './long-files.js';
import { isTierName, TIER_NAMES, type TierName, tierOf, turnOf } from './tiers.js';

export type Selection = readonly { readonly tier: TierName; readonly files: readonly string[] }[];

/** The files by tier, in the order of the tiers. Arguments are tiers or test files; none means everything. */
export const select = (args: readonly string[], files: readonly string[], tierOfFile = tierOf): Selection => {
  const tiers = new Map(files.map((file) => [file, tierOfFile(file)]));
  const untiered = files.filter((file) => tiers.get(file) === undefined);
  if (untiered.length > 0) {
    throw new Error(`In no tier of test/runner/tiers.ts, so never run: ${untiered.join(', ')}`);
  }
  const unknown = args.filter((arg) => !isTierName(arg) && !files.includes(arg));
  if (unknown.length > 0) {
    throw new Error(`Neither a tier (${TIER_NAMES.join(', ')}) nor a test file: ${unknown.join(', ')}`);
  }
  return TIER_NAMES.map((tier) => ({
    tier,
    files: files
      .filter(
        (file) =>
          tiers.get(file) === tier && (args.length === 0 || args.includes(tier) || args.includes(file)),
      )
      .toSorted((a, b) => turnOfLength(a) - turnOfLength(b) || turnOf(tier, a) - turnOf(tier, b)),
  }));
};
