/**
 * The modules of this package: name, and the directory next to this file that has its `index.js` and `manifest.json`.
 */
export const shippedModules = [
  { name: 'accounts', directory: 'accounts' },
  { name: 'agents', directory: 'agents' },
  { name: 'orders', directory: 'orders' },
] as const satisfies readonly { readonly name: string; readonly directory: string }[];

/** Those of `tallystick burst`, likewise; a broker has them only when it is told to load them. */
export const burstModules = [
  { name: 'burst', directory: 'burst' },
  { name: 'burst-calls', directory: 'burst-calls' },
] as const satisfies readonly { readonly name: string; readonly directory: string }[];
