import { limitsOf, type Manifest } from '../../schemas/manifest.js';

/** Code that is still being loaded after this is taken for code that never ends, milliseconds. */
const CODE_MS = 15_000;

/**
 * How long the code of a module may be loaded by its host: shorter than a start, which also folds the past. A manifest
 * that sets `limits.startMs` has said how long its own start takes. A command starts a program that is not ours.
 */
export const codeMsOf = (manifest: Manifest): number =>
  manifest.limits?.startMs ?? ('command' in manifest.start ? limitsOf(manifest).startMs : CODE_MS);

/** How much of the time of a start has passed: code that is not loaded yet has less time than a past that is folded. */
export const passedOf = (
  stillMs: number,
  isLoaded: boolean,
  { withinMs, codeMs }: { readonly withinMs: number; readonly codeMs: number },
): number => (isLoaded ? stillMs : stillMs + Math.max(0, withinMs - codeMs));
