/** Of any copy of this package. */
const DEFINED_AT = Symbol.for('tallystick.defined-at');

/** Notes in a module where it is defined, so that an error found later can name the line. Not a part of its data. */
export const noteDefinedAt = <M extends object>(module: M): M =>
  Object.defineProperty(module, DEFINED_AT, { value: new Error('the module is defined here') });

/** An error whose stack has the place where a module is defined; undefined for one that no `defineModule` made. */
export const definedAt = (module: object): unknown =>
  (module as { readonly [DEFINED_AT]?: unknown })[DEFINED_AT];
