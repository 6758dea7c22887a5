import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { parseInstant } from '../../schemas/instant.js';
import { parseJson } from '../../schemas/json.js';
import type { ActionManifest, Manifest } from '../../schemas/manifest.js';
import { firstDue, MAX_WHEN_TEXT, type Timing } from '../../schemas/schedule.js';
import { type Check, compile } from '../../schemas/validate.js';

/** What a schedule would send each time. */
export interface Repeated {
  readonly manifest: Manifest;
  readonly action: ActionManifest;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: Uint8Array;
}

const wrongHeader = (name: string, value: string, is: string): Fault =>
  fault('HEADER_INVALID', `${name} ${JSON.stringify(value.slice(0, MAX_WHEN_TEXT))} is ${is}`);

const checks = new WeakMap<ActionManifest, Check<unknown>>();

const checkOf = (action: ActionManifest): Check<unknown> => {
  const known = checks.get(action) ?? compile(action.input, 'PAYLOAD_INVALID', 'payload');
  checks.set(action, known);
  return known;
};

/** A program in another language may read payloads that are not JSON, when the sender says what they are. */
const isForJson = ({ manifest, headers }: Repeated): boolean =>
  'entry' in manifest.start || /^(?:$|application\/json\b)/i.test(headers[HEADER.contentType] ?? '');

/** Why a module would refuse the command whenever it comes; undefined when it may take it. */
export const refusedAlways = (repeated: Repeated): Fault | undefined => {
  const { headers, data, action } = repeated;
  const broken = Object.keys(headers).find((name) => /[\r\n]/.test(headers[name] as string));
  if (broken !== undefined) return fault('HEADER_INVALID', `${broken} has a line break`);
  const deadline = headers[HEADER.deadline];
  if (deadline !== undefined && parseInstant(deadline) === undefined)
    return wrongHeader(HEADER.deadline, deadline, 'no RFC 3339 time');
  const priority = headers[HEADER.priority];
  if (priority !== undefined && priority !== 'urgent' && priority !== 'normal')
    return wrongHeader(HEADER.priority, priority, 'neither urgent nor normal');
  const conversation = headers[HEADER.conversation];
  if (conversation !== undefined && parseSequence(conversation) === undefined)
    return wrongHeader(HEADER.conversation, conversation, 'no sequence');
  if (!isForJson(repeated)) return undefined;
  const payload = parseJson(data);
  if (E.isLeft(payload)) return payload.left;
  const fits = checkOf(action)(payload.right);
  return E.isLeft(fits) ? fits.left : undefined;
};

/** Why every firing would come too late; undefined when the first one is before the deadline. */
export const dueTooLate = (
  timing: Timing,
  deadline: string | undefined,
  nowMs: number,
): Fault | undefined => {
  const until = deadline === undefined ? undefined : parseInstant(deadline);
  const first = firstDue(timing, nowMs);
  if (until === undefined || first < until) return undefined;
  const due = new Date(first).toISOString();
  return fault(
    'SCHEDULE_INVALID',
    `the command is due at ${due}, and its ${HEADER.deadline} ${deadline} is not later: no command would be handled`,
  );
};
