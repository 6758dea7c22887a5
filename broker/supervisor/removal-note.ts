import type { SupervisedModule } from './supervised-module.js';

/** What the operator should know before or after a module is removed; null: nothing. */
export const removalNote = (
  { state, isActive, source: { dir } }: SupervisedModule,
  isShipped: boolean,
  dependents: readonly { readonly name: string }[],
  configKeys: readonly string[],
): string | null => {
  const notes = [
    ...(isActive ? [`it is ${state}: a removal needs --unload, which stops it first`] : []),
    ...(isShipped ? [`it ships with Tallystick: \`tallystick module load ${dir}\` brings it back`] : []),
    ...(configKeys.length === 0 ? [] : [`its configuration is removed with it: ${configKeys.join(', ')}`]),
    ...(dependents.length === 0
      ? []
      : [`${dependents.map((each) => each.name).join(', ')} cannot start without it`]),
  ];
  return notes.length === 0 ? null : notes.join('; ');
};
