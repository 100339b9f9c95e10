/**
 * The first gate for anything that comes from outside: a copy that is plain JSON data, of bounded size and depth,
 * without the keys and characters that make trouble further in (prototypes, NUL, halves of surrogate pairs).
 */

import { fieldPath, invalidError } from '../invalid.ts';

/** The most bytes that one task may have, as the sum of its strings, keys and values. */
export const MAX_TASK_BYTES = 1024 * 1024;
/** How deep lists and objects may be nested. */
const MAX_DEPTH = 32;

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

interface Walk {
  readonly prefix: string;
  readonly path: PropertyKey[];
  bytesLeft: number;
}

/** Copies `input` as plain data; a field that is `undefined` is left out. Throws `INVALID` naming the field. */
export function plainData(input: unknown, prefix = '', maxBytes = MAX_TASK_BYTES): unknown {
  return copy(input, { prefix, path: [], bytesLeft: maxBytes });
}

function copy(value: unknown, walk: Walk): unknown {
  spend(walk, 1);
  if (walk.path.length > MAX_DEPTH) refuse(walk, `must not be nested deeper than ${MAX_DEPTH} levels`);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return copyText(value, walk);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse(walk, `must be a finite number; given ${value}`);
    return value === 0 ? 0 : value;
  }
  if (Array.isArray(value)) return copyList(value, walk);
  if (typeof value === 'object' && isPlain(value)) return copyObject(value as Record<string, unknown>, walk);
  return refuse(walk, `must be plain data (text, numbers, lists, objects); given ${kindOf(value)}`);
}

function copyText(text: string, walk: Walk): string {
  spend(walk, Buffer.byteLength(text));
  if (text.includes('\0')) refuse(walk, 'must not contain a NUL character');
  if (/\p{Surrogate}/u.test(text)) refuse(walk, 'must be well-formed Unicode');
  return text;
}

function copyList(list: readonly unknown[], walk: Walk): unknown[] {
  if (list.length > walk.bytesLeft) spend(walk, list.length);
  return Array.from({ length: list.length }, (_, index) => within(walk, index, () => copy(list[index] ?? null, walk)));
}

function copyObject(object: Record<string, unknown>, walk: Walk): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(object)) {
    if (object[key] === undefined) continue;
    within(walk, key, () => {
      if (FORBIDDEN_KEYS.has(key)) refuse(walk, 'is a name that is not allowed');
      copyText(key, walk);
      result[key] = copy(object[key], walk);
    });
  }
  return result;
}

function within<T>(walk: Walk, part: PropertyKey, run: () => T): T {
  walk.path.push(part);
  const result = run();
  walk.path.pop();
  return result;
}

function spend(walk: Walk, bytes: number): void {
  walk.bytesLeft -= bytes;
  if (walk.bytesLeft < 0) refuse(walk, 'makes the input larger than is allowed');
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function kindOf(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? 'a class instance'
    : `a ${value === undefined ? 'gap' : typeof value}`;
}

function refuse(walk: Walk, clause: string): never {
  const field = fieldPath(walk.path, walk.prefix);
  throw invalidError({ field, message: `${field === '' ? 'the input' : `\`${field}\``} ${clause}` });
}
