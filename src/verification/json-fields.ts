import { RefwardenError } from '../failures/failure.ts';
import { isJsonObject } from '../oci/strict-json.ts';
import type { Json, JsonObject } from '../oci/strict-json.ts';

/*
 * Fields of a document that somebody else wrote. Absent and null are empty, as Go's tools write them; a value of another
 * type is refused: taken for empty, it would hide what it holds. All throw a RefwardenError `PayloadInvalid`.
 */

/** Empty when absent. */
export function textField(object: JsonObject, key: string): string {
  const value = object[key] ?? '';
  return typeof value === 'string' ? value : refuse(key, 'text');
}

/** Empty when absent. */
export function objectField(object: JsonObject, key: string): JsonObject {
  const value = object[key] ?? {};
  return isJsonObject(value) ? value : refuse(key, 'an object');
}

/** Empty when absent. */
export function objectsField(object: JsonObject, key: string): readonly JsonObject[] {
  const value = object[key] ?? [];
  return isObjectList(value) ? value : refuse(key, 'a list of objects');
}

/** Not empty when absent: for lists whose absence says something else than that nothing was found. */
export function requiredObjects(object: JsonObject, key: string): readonly JsonObject[] {
  const value = object[key];
  return isObjectList(value) ? value : refuse(key, 'a list of objects');
}

export const isObjectList = (value: Json | undefined): value is JsonObject[] =>
  Array.isArray(value) && value.every((entry) => isJsonObject(entry));

const refuse = (key: string, what: string): never => {
  throw new RefwardenError('PayloadInvalid', `The field "${key}" is not ${what}.`);
};
