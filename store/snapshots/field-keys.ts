import { createHash } from 'node:crypto';
import type { Key } from 'lmdb';
import { fieldIn, fieldText } from '../../schemas/field-value.js';

/** A key of LMDB has at most 1,978 bytes, and a character of a value up to six of them. */
const LONGEST = 200;

/** The value as a part of a key: printable, and bounded. What is longer is known by its digest. */
export const valueKey = (text: string): string => {
  // Escaped, so no character of it ends a part of the key.
  const key = JSON.stringify(text).slice(1, -1);
  return key.length <= LONGEST ? `=${key}` : `#${createHash('sha256').update(key).digest('hex')}`;
};

/** Sorted by field, then by value, then by agent. */
export const fieldKey = (field: string, value: string, agent: string): Key => [field, value, agent];

/** Field, value and agent. */
export const partsOfFieldKey = (key: Key): readonly [string, string, string] =>
  key as [string, string, string];

/** By field, the value that a state has there, as a part of a key. */
export type FieldValues = ReadonlyMap<string, string>;

const NONE: FieldValues = new Map();

/** The values by which an agent with this state, JSON, is looked up. The module itself is none of its agents. */
export const fieldValues = (
  fields: readonly string[],
  agent: string,
  json: string | undefined,
): FieldValues => {
  if (fields.length === 0 || json === undefined || agent === '') return NONE;
  const state: unknown = JSON.parse(json);
  const values = new Map<string, string>();
  for (const field of fields) {
    const text = fieldText(fieldIn(state, field));
    if (text !== undefined) values.set(field, valueKey(text));
  }
  return values;
};
