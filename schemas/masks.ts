import { behindValue, membersAt, textAt } from './json-scan.js';
import { eachItem, eachMember, type FindHidden, findHidden, HIDDEN, maskBytes } from './mask-json.js';
import { expanded, isHidden, itemSpots, memberSpots, type Spot, spotsOf } from './mask-spots.js';
import type { StoredMessage } from './record.js';
import type { Manifest } from './manifest.js';
import { type Marks, marksOf, type ModuleMarks, NO_MARKS, schemaOfPath, unitedMarks } from './sensitive.js';
import { ERASED, hasSealed, openSealed, SEALED } from './sealed-value.js';
import { splitSubject } from './subjects.js';
import type { JsonSchema } from './validate.js';
import { writeJson } from './write-json.js';

/** What of a step may be a value of its module. */
const STEP_TEXTS: readonly JsonSchema[] = ['value', 'error.message', 'data'].map(schemaOfPath);

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const OPEN_OBJECT = 123;
const OPEN_LIST = 91;

const listed = (
  schemas: Readonly<Record<string, readonly JsonSchema[]>>,
  name: string,
): readonly JsonSchema[] => (Object.hasOwn(schemas, name) ? (schemas[name] ?? []) : []);

/** A place where two values differ. */
interface Changed {
  readonly from?: unknown;
  readonly to?: unknown;
}

const skip: FindHidden = (bytes, from) => behindValue(bytes, from);

/**
 * Hides sensitive values in what a person is shown. The log and the exports keep them: a mask changes a copy. Without
 * marks, which is most modules, nothing is parsed.
 */
export class Masks {
  /** `isOff`: a person asked to see all, so no version adds marks. */
  constructor(
    private readonly marks: Marks,
    private readonly isOff = false,
    /** Names of erased agents, by module. */
    private readonly erased: Readonly<Record<string, readonly string[]>> = {},
  ) {}

  /** Hides nothing. */
  static readonly none = new Masks({}, true);

  #of(module: string): ModuleMarks {
    return Object.hasOwn(this.marks, module) ? (this.marks[module] ?? NO_MARKS) : NO_MARKS;
  }

  get #isEmpty(): boolean {
    return Object.keys(this.marks).length === 0;
  }

  /** What this version of a module marks is hidden too. */
  with(manifest: Manifest): Masks {
    if (this.isOff) return this;
    const { name } = manifest;
    return new Masks(
      { ...this.marks, [name]: unitedMarks(this.#of(name), marksOf(manifest)) },
      false,
      this.erased,
    );
  }

  /** A record with its hidden values masked. */
  message(message: StoredMessage): StoredMessage {
    if (this.#isEmpty && !hasSealed(message.data)) return message;
    const data = this.bytes(message.subject, message.data);
    if (data === message.data) return message;
    const { seq, time, timeMs, timeUs, subject, subjectBytes } = message;
    return {
      ...{ seq, time, timeMs, subject, data },
      ...(timeUs === undefined ? {} : { timeUs }),
      ...(subjectBytes === undefined ? {} : { subjectBytes }),
      header: (name) => message.header(name),
    };
  }

  /** The payload of a record on a subject. */
  bytes(subject: string, data: Uint8Array): Uint8Array {
    const masked = this.#maskedRecord(subject, data);
    return hasSealed(masked) ? this.#named(subject, masked) : masked;
  }

  /** In the place of an encrypted value, the word for it. */
  #named(subject: string, data: Uint8Array): Uint8Array {
    const parts = splitSubject(subject);
    const [module, agent] = parts === undefined || parts.kind === 'epoch' ? [] : [parts.module, parts.agent];
    const isErased =
      module !== undefined &&
      agent !== undefined &&
      Object.hasOwn(this.erased, module) &&
      this.erased[module]?.includes(agent) === true;
    const word = encoder.encode(JSON.stringify(isErased ? ERASED : SEALED));
    return openSealed(
      data,
      () => word,
      () => word,
    );
  }

  #maskedRecord(subject: string, data: Uint8Array): Uint8Array {
    const parts = splitSubject(subject);
    switch (parts?.kind) {
      case 'cmd':
        return this.#masked(data, this.#found(listed(this.#of(parts.module).inputs, parts.name)));
      case 'evt':
        return this.#masked(data, this.#found(listed(this.#of(parts.module).events, parts.name)));
      case 'res':
        return this.result(parts.module, parts.name, data);
      case 'step':
      case 'wake':
      case 'signal':
        return this.#step(parts.module, data);
      default:
        return data;
    }
  }

  /** A step has no schema. If its module marks anything, its value may be that, and its error may quote it. */
  #step(module: string, data: Uint8Array): Uint8Array {
    const { inputs, outputs, events, state } = this.#of(module);
    const marked = [inputs, outputs, events].some((each) => Object.keys(each).length > 0) || state.length > 0;
    return marked ? this.#masked(data, this.#found(STEP_TEXTS)) : data;
  }

  input(module: string, action: string, data: Uint8Array): Uint8Array {
    return this.#masked(data, this.#found(listed(this.#of(module).inputs, action)));
  }

  /** The body of a result: its output, and the events and commands that it carries. */
  result(module: string, action: string, data: Uint8Array): Uint8Array {
    if (this.#isEmpty) return data;
    const { outputs, events } = this.#of(module);
    const output = this.#found(listed(outputs, action)) ?? skip;
    const find: FindHidden = (bytes, from, cuts) => {
      if (bytes[from] !== OPEN_OBJECT) return behindValue(bytes, from);
      return eachMember(bytes, from, (name, at) => {
        if (name === 'data') return output(bytes, at, cuts);
        if (name !== 'out' || bytes[at] !== OPEN_LIST) return behindValue(bytes, at);
        return eachItem(bytes, at, (_, item) => this.#copy(bytes, item, cuts));
      });
    };
    // A result that is no JSON is hidden only if its module marks something. Commands to other modules may have marks.
    const isMarked = output !== skip || Object.keys(events).length > 0;
    return maskBytes(data, find, isMarked);
  }

  /** A state, as it is shown. */
  state(module: string, state: unknown): unknown {
    const { state: schemas } = this.#of(module);
    return this.value(schemas, state);
  }

  /** A state's JSON. */
  stateJson(module: string, json: string): string {
    const { state } = this.#of(module);
    return state.length === 0
      ? json
      : decoder.decode(maskBytes(encoder.encode(json), findHidden(spotsOf(state))));
  }

  event(module: string, name: string, data: unknown): unknown {
    return this.value(listed(this.#of(module).events, name), data);
  }

  inputValue(module: string, action: string, data: unknown): unknown {
    return this.value(listed(this.#of(module).inputs, action), data);
  }

  outputValue(module: string, action: string, data: unknown): unknown {
    return this.value(listed(this.#of(module).outputs, action), data);
  }

  value(schemas: readonly JsonSchema[], value: unknown): unknown {
    if (schemas.length === 0 || value === undefined) return value;
    const bytes = maskBytes(encoder.encode(writeJson(value)), findHidden(spotsOf(schemas)));
    return JSON.parse(decoder.decode(bytes)) as unknown;
  }

  /** Two values at a place in a state. Each is masked by what is above and below the place. */
  stateChange<C extends Changed>(module: string, path: readonly (string | number)[], change: C): C {
    return this.#change(this.#of(module).state, path, change);
  }

  /**
   * The same at a place in an outcome. In its events both are hidden if the module marks any event, in its commands
   * and calls if any module marks an input.
   */
  resultChange<C extends Changed>(
    module: string,
    action: string,
    path: readonly (string | number)[],
    change: C,
  ): C {
    const [first, ...rest] = path;
    const { outputs, events } = this.#of(module);
    if (first === 'data') return this.#change(listed(outputs, action), rest, change);
    const hides =
      first === undefined || first === 'events' ? Object.keys(events).length > 0 : this.#marksInputs;
    if (first === 'status' || first === 'error' || !hides) return change;
    return this.#change([{ sensitive: true }], [], change);
  }

  get #marksInputs(): boolean {
    return Object.values(this.marks).some(({ inputs }) => Object.keys(inputs).length > 0);
  }

  #change<C extends Changed>(
    schemas: readonly JsonSchema[],
    path: readonly (string | number)[],
    change: C,
  ): C {
    if (schemas.length === 0) return change;
    let spots: readonly Spot[] = expanded(spotsOf(schemas));
    for (const part of path) {
      if (isHidden(spots)) break;
      const inner = typeof part === 'number' ? itemSpots(spots, part) : memberSpots(spots, part);
      spots = expanded(inner);
    }
    const masked = (value: unknown): unknown =>
      isHidden(spots)
        ? HIDDEN
        : JSON.parse(decoder.decode(maskBytes(encoder.encode(writeJson(value)), findHidden(spots))));
    return {
      ...change,
      ...(change.from === undefined ? {} : { from: masked(change.from) }),
      ...(change.to === undefined ? {} : { to: masked(change.to) }),
    };
  }

  /** A copy in a result: its subject says which schema its data has. */
  #copy(bytes: Uint8Array, from: number, cuts: { from: number; to: number }[]): number {
    const named = membersAt(bytes, { from, to: bytes.length }, ['subject']);
    const subject = named?.subject === undefined ? '' : (textAt(bytes, named.subject) ?? '');
    const find = this.#findCopy(subject);
    if (bytes[from] !== OPEN_OBJECT || find === undefined) return behindValue(bytes, from);
    return eachMember(bytes, from, (name, at) => (name === 'data' ? find : skip)(bytes, at, cuts));
  }

  #findCopy(subject: string): FindHidden | undefined {
    const [kind, module = '', name = ''] = subject.split('.');
    const { inputs, events } = this.#of(module);
    return this.#found(kind === 'cmd' ? listed(inputs, name) : kind === 'evt' ? listed(events, name) : []);
  }

  #found(schemas: readonly JsonSchema[]): FindHidden | undefined {
    return schemas.length === 0 ? undefined : findHidden(spotsOf(schemas));
  }

  #masked(data: Uint8Array, find: FindHidden | undefined): Uint8Array {
    return find === undefined ? data : maskBytes(data, find);
  }
}
