/** `tallystick/modules`: the modules of this package, for callers and for the tests of callers. */
export { default as accounts } from './accounts/index.js';
export { default as agents } from './agents/index.js';
export { default as orders } from './orders/index.js';
