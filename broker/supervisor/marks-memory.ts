import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import {
  type Marks,
  marksOf,
  type ModuleMarks,
  NO_MARKS,
  SENSITIVE_FILE,
  unitedMarks,
} from '../../schemas/sensitive.js';
import { replaceFileSync } from '../../system/files/durable-file.js';

const unusable = (path: string, why: string): Fault =>
  fault(
    'DATA_DIR_UNUSABLE',
    `${path} cannot be read: ${why}. It has what each version of each module marks as sensitive. Put a copy of it ` +
      'back. Or remove it: then only the versions of now count',
  );

const isMarks = (value: unknown): value is { readonly version: 1; readonly modules: Marks } =>
  typeof value === 'object' &&
  value !== null &&
  (value as { version?: unknown }).version === 1 &&
  typeof (value as { modules?: unknown }).modules === 'object';

const isEmpty = ({ inputs, outputs, events, state }: ModuleMarks): boolean =>
  [inputs, outputs, events].every((each) => Object.keys(each).length === 0) && state.length === 0;

/**
 * What every version of every module that this broker has seen marks as sensitive. The log keeps the records of all
 * of them, so nothing is forgotten here, neither with a new version nor with a removal.
 */
export class MarksMemory {
  #marks: Marks;
  #hear: () => void = () => undefined;

  private constructor(
    private readonly path: string,
    marks: Marks,
    private readonly log: (text: string) => void,
  ) {
    this.#marks = marks;
  }

  /** DATA_DIR_UNUSABLE if the file is damaged: without it, values of old records would show. */
  static open(dataDir: string, log: (text: string) => void): E.Either<Fault, MarksMemory> {
    const path = join(dataDir, SENSITIVE_FILE);
    if (!existsSync(path)) return E.right(new MarksMemory(path, {}, log));
    try {
      const read: unknown = JSON.parse(readFileSync(path, 'utf8'));
      if (!isMarks(read)) return E.left(unusable(path, 'it has no marks of version 1'));
      return E.right(new MarksMemory(path, read.modules, log));
    } catch (error) {
      return E.left(unusable(path, (error as Error).message));
    }
  }

  get all(): Marks {
    return this.#marks;
  }

  of(module: string): ModuleMarks {
    return Object.hasOwn(this.#marks, module) ? (this.#marks[module] ?? NO_MARKS) : NO_MARKS;
  }

  /** Hears that there are more marks. */
  onChange(hear: () => void): void {
    this.#hear = hear;
  }

  /** Adds what a manifest marks. If the disk takes no more, the marks hold as long as this broker runs. */
  learn(manifest: Manifest): void {
    const { name } = manifest;
    const before = this.of(name);
    const now = unitedMarks(before, marksOf(manifest));
    if (isEmpty(now) || JSON.stringify(now) === JSON.stringify(before)) return;
    this.#marks = { ...this.#marks, [name]: now };
    this.#hear();
    try {
      replaceFileSync(this.path, `${JSON.stringify({ version: 1, modules: this.#marks })}\n`);
    } catch (error) {
      this.log(`${name}: what it marks as sensitive is not on the disk: ${(error as Error).message}`);
    }
  }
}
