import { RefwardenError } from '../failures/failure.ts';
import { isJsonObject, parseStrictJson } from '../oci/strict-json.ts';
import type { Json, JsonObject } from '../oci/strict-json.ts';

const operations = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const;
export type Operation = (typeof operations)[number];

export interface GroupVersionKind {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What a review asks (k8s.io/api/admission/v1 `AdmissionRequest`), reduced to what a decision reads. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly kind: GroupVersionKind;
  /** `ephemeralcontainers`, `scale`; absent for the object itself. */
  readonly subResource?: string;
  readonly operation: Operation;
  /** Empty for a cluster-scoped object. */
  readonly namespace: string;
  /** Empty while the name is still to be generated. */
  readonly name: string;
  readonly object?: JsonObject;
  readonly oldObject?: JsonObject;
  readonly dryRun: boolean;
  /** Who asks, as the API server authenticated it; empty when not told. */
  readonly username: string;
}

const apiVersion = 'admission.k8s.io/v1';
const maxUidLength = 128;
/** Longest name, namespace, group, version, kind or subresource, in characters (DNS subdomain). */
const maxNameLength = 253;
/** Longest user name, in characters; the API server sets no limit of its own. */
const maxUsernameLength = 1024;

/**
 * Parses the body of a webhook call. Unknown fields are ignored: the API server adds some with each release.
 * @throws RefwardenError `ReviewInvalid`; the message names the field.
 */
export function parseAdmissionReview(bytes: Uint8Array): AdmissionRequest {
  const review = parseStrictJson(bytes, 'The AdmissionReview', 'ReviewInvalid');
  if (!isJsonObject(review)) refuse('The body', 'is no JSON object');
  requireText(review, '', 'apiVersion', apiVersion);
  requireText(review, '', 'kind', 'AdmissionReview');
  const request = requireObject(review, '', 'request');
  const kind = requireObject(request, 'request.', 'kind');
  const uid = parseText(request, 'request.', 'uid', maxUidLength);
  if (uid === '') refuse('request.uid', 'is empty');
  const operation = operations.find((known) => known === request['operation']);
  if (operation === undefined) {
    refuse('request.operation', `is ${show(request['operation'])}, not one of ${operations.join(', ')}`);
  }
  const subResource = parseOptionalText(request, 'request.', 'subResource', maxNameLength);
  const object = parseOptionalObject(request, 'object');
  const oldObject = parseOptionalObject(request, 'oldObject');
  const userInfo = parseOptionalObject(request, 'userInfo') ?? {};
  return {
    uid,
    kind: {
      group: parseText(kind, 'request.kind.', 'group', maxNameLength),
      version: parseText(kind, 'request.kind.', 'version', maxNameLength),
      kind: parseText(kind, 'request.kind.', 'kind', maxNameLength),
    },
    operation,
    namespace: parseOptionalText(request, 'request.', 'namespace', maxNameLength),
    name: parseOptionalText(request, 'request.', 'name', maxNameLength),
    dryRun: parseDryRun(request['dryRun']),
    username: parseOptionalText(userInfo, 'request.userInfo.', 'username', maxUsernameLength),
    ...(subResource !== '' ? { subResource } : {}),
    ...(object !== undefined ? { object } : {}),
    ...(oldObject !== undefined ? { oldObject } : {}),
  };
}

function parseDryRun(value: Json | undefined): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') refuse('request.dryRun', `is ${show(value)}, not a boolean`);
  return value;
}

function requireText(holder: JsonObject, path: string, field: string, expected: string): void {
  if (holder[field] !== expected) refuse(path + field, `is ${show(holder[field])}, not "${expected}"`);
}

function requireObject(holder: JsonObject, path: string, field: string): JsonObject {
  const value = holder[field];
  if (!isJsonObject(value)) refuse(path + field, `is ${show(value)}, not an object`);
  return value;
}

function parseOptionalObject(request: JsonObject, field: string): JsonObject | undefined {
  const value = request[field];
  return value === undefined || value === null ? undefined : requireObject(request, 'request.', field);
}

function parseText(holder: JsonObject, path: string, field: string, maxLength: number): string {
  const value = holder[field];
  if (typeof value !== 'string') refuse(path + field, `is ${show(value)}, not a string`);
  if (value.length > maxLength) refuse(path + field, `is longer than ${maxLength} characters`);
  return value;
}

/** An absent or null field reads as empty, as Go's encoding leaves empty fields out. */
function parseOptionalText(holder: JsonObject, path: string, field: string, maxLength: number): string {
  const value = holder[field];
  return value === undefined || value === null ? '' : parseText(holder, path, field, maxLength);
}

function show(value: Json | undefined): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (Array.isArray(value)) return 'an array';
  return isJsonObject(value) ? 'an object' : String(value);
}

function refuse(where: string, what: string): never {
  throw new RefwardenError('ReviewInvalid', `${where} ${what}.`);
}
