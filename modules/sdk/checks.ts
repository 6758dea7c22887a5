import { left } from 'fp-ts/lib/Either.js';
import type { ErrorCode } from '../../schemas/error-table.js';
import { fault } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import type { Check, JsonSchema } from '../../schemas/validate.js';
import { compileWhole } from './own-check.js';

/** What {@link compileChecks} needs of a manifest: one read from a file does, and so does a typed one. */
export interface Checkable {
  readonly name: string;
  readonly encrypt?: boolean;
  readonly actions: Readonly<
    Record<
      string,
      Pick<Manifest['actions'][string], 'agent' | 'callers' | 'rejections'> & {
        input: JsonSchema;
        output: JsonSchema;
      }
    >
  >;
  readonly events: Readonly<Record<string, { readonly data: JsonSchema }>>;
  readonly dependencies?: Readonly<Record<string, readonly string[]>>;
}

/** The compiled schemas of one manifest. A name that it does not declare gives a check that refuses every value. */
export interface Checks {
  /** Of a command's payload: `PAYLOAD_INVALID`; of an action that is not there: `ACTION_UNKNOWN`. */
  readonly input: (action: string) => Check<unknown>;
  /** Of a decision's data: `OUTCOME_INVALID`. */
  readonly output: (action: string) => Check<unknown>;
  /** Of an event's data: `OUTCOME_INVALID`. */
  readonly event: (name: string) => Check<unknown>;
}

const refuseAll =
  (code: ErrorCode, message: string): Check<never> =>
  () =>
    left(fault(code, message));

/**
 * Compiles every schema of a manifest once. Throws what the compiler throws; `parseManifest` refuses such manifests.
 */
export const compileChecks = (manifest: Checkable): Checks => {
  const inputs = new Map<string, Check<unknown>>();
  const outputs = new Map<string, Check<unknown>>();
  const events = new Map<string, Check<unknown>>();
  for (const [name, { input, output }] of Object.entries(manifest.actions)) {
    inputs.set(name, compileWhole(input, 'PAYLOAD_INVALID', 'payload'));
    outputs.set(name, compileWhole(output, 'OUTCOME_INVALID', `data of ${manifest.name}.${name}`));
  }
  for (const [name, { data }] of Object.entries(manifest.events)) {
    events.set(name, compileWhole(data, 'OUTCOME_INVALID', `event ${manifest.name}.${name}`));
  }
  const noAction = (code: ErrorCode, name: string) =>
    refuseAll(code, `${manifest.name} has no action ${JSON.stringify(name)}`);
  return {
    input: (action) => inputs.get(action) ?? noAction('ACTION_UNKNOWN', action),
    output: (action) => outputs.get(action) ?? noAction('OUTCOME_INVALID', action),
    event: (name) =>
      events.get(name) ??
      refuseAll('OUTCOME_INVALID', `${manifest.name} declares no event ${JSON.stringify(name)}`),
  };
};
