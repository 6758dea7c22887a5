import { basename, dirname, join } from 'node:path';
import type { Profiler } from 'node:inspector';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';

/** Where the time went: the functions of a stack, the outermost first and `;` between them; microseconds. */
export type SampledStacks = Map<string, number>;

/** The sampling itself is no work of the program. */
const SAMPLING = '/profile-preload.js';
/** Names of V8 for what is no work of the process. */
const NO_WORK = new Set(['(idle)', '(root)']);

const add = (stacks: SampledStacks, frames: readonly string[], us: number): void => {
  if (frames.length === 0 || us <= 0) return;
  const key = frames.join(';');
  stacks.set(key, (stacks.get(key) ?? 0) + us);
};

const frameOf = ({ functionName, url, lineNumber }: Profiler.ProfileNode['callFrame']): string => {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name.replaceAll(';', ' ');
  const place = join(basename(dirname(url)), basename(url));
  return `${name} ${place}:${lineNumber + 1}`.replaceAll(';', ' ');
};

/** Adds the samples of a profile of V8. */
export const addNodeProfile = (
  stacks: SampledStacks,
  { nodes, samples = [], timeDeltas = [] }: Profiler.Profile,
): void => {
  const parents = new Map<number, number>();
  const frames = new Map<number, string>();
  const ours = new Set<number>();
  for (const { id, callFrame, children = [] } of nodes) {
    if (callFrame.url.endsWith(SAMPLING)) ours.add(id);
    if (!NO_WORK.has(callFrame.functionName)) frames.set(id, frameOf(callFrame));
    for (const child of children) parents.set(child, id);
  }
  const known = new Map<number, readonly string[]>();
  const stackOf = (id: number): readonly string[] => {
    const found = known.get(id);
    if (found !== undefined) return found;
    const stack: string[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      if (ours.has(at)) {
        stack.length = 0;
        break;
      }
      const frame = frames.get(at);
      if (frame !== undefined) stack.unshift(frame);
    }
    known.set(id, stack);
    return stack;
  };
  for (const [i, id] of samples.entries()) add(stacks, stackOf(id), timeDeltas[i] ?? 0);
};

/** Adds the samples of a profile of Go, as `pprof` writes it: gzip around protobuf. */
export const addGoProfile = (stacks: SampledStacks, bytes: Uint8Array): void => {
  const profile = Profile.decode(gunzipSync(bytes));
  const text = (at: number | bigint): string => profile.stringTable.strings[Number(at)] ?? '';
  const functions = new Map(profile.function.map((each) => [Number(each.id), text(each.name)]));
  const locations = new Map(
    profile.location.map(({ id, line }) => [
      Number(id),
      // What is inlined stands before the function that it is in.
      line.map(({ functionId }) => functions.get(Number(functionId)) ?? '?').toReversed(),
    ]),
  );
  const nanos = profile.sampleType.findIndex(({ type }) => text(type) === 'cpu');
  for (const { locationId, value } of profile.sample) {
    const frames = locationId.toReversed().flatMap((id) => locations.get(Number(id)) ?? []);
    add(
      stacks,
      frames.map((frame) => frame.replaceAll(';', ' ')),
      Number(value[nanos] ?? 0) / 1_000,
    );
  }
};

/** The time of all stacks, microseconds. */
export const wholeTime = (stacks: SampledStacks): number =>
  [...stacks.values()].reduce((sum, us) => sum + us, 0);

/** The functions that ran longest themselves: name and share, the longest first. */
export const longest = (stacks: SampledStacks, count: number): readonly (readonly [string, number])[] => {
  const own = new Map<string, number>();
  for (const [stack, us] of stacks) {
    const frame = stack.slice(stack.lastIndexOf(';') + 1);
    own.set(frame, (own.get(frame) ?? 0) + us);
  }
  const whole = wholeTime(stacks);
  return [...own]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([frame, us]) => [frame, us / whole]);
};
