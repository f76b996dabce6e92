import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAdmissionReview } from '../../src/admission/admission-review.ts';
import { RefwardenError } from '../../src/failures/failure.ts';
import { podReview } from '../support/webhook-call.ts';

const parse = (review: unknown) => parseAdmissionReview(Buffer.from(JSON.stringify(review)));
const refusal = (review: unknown): unknown => {
  try {
    return parse(review);
  } catch (error) {
    return error instanceof RefwardenError ? `${error.code}: ${error.message}` : error;
  }
};

describe('parseAdmissionReview', () => {
  it('reads what a decision needs', () => {
    const object = { metadata: { name: 'app' } };
    const oldObject = { metadata: { name: 'app', generation: 1 } };
    const review = podReview({
      operation: 'UPDATE',
      subResource: 'ephemeralcontainers',
      object,
      oldObject,
      dryRun: true,
    });
    expect(parse(review)).toEqual({
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      subResource: 'ephemeralcontainers',
      operation: 'UPDATE',
      namespace: 'shop',
      name: 'app',
      username: 'alice',
      object,
      oldObject,
      dryRun: true,
    });
  });

  it('reads fields that Go leaves out as empty', () => {
    const kind = { group: 'apps', version: 'v1', kind: 'Deployment' };
    expect(parse({ ...podReview(), request: { uid: 'u', kind, operation: 'DELETE' } })).toEqual({
      uid: 'u',
      kind,
      operation: 'DELETE',
      namespace: '',
      name: '',
      username: '',
      dryRun: false,
    });
  });

  it.each([
    [[], 'The body is no JSON object.'],
    [{ ...podReview(), apiVersion: undefined }, 'apiVersion is missing, not "admission.k8s.io/v1".'],
    [
      { ...podReview(), apiVersion: 'admission.k8s.io/v2' },
      'apiVersion is "admission.k8s.io/v2", not "admission.k8s.io/v1".',
    ],
    [{ ...podReview(), kind: 'Pod' }, 'kind is "Pod", not "AdmissionReview".'],
    [{ ...podReview(), request: null }, 'request is null, not an object.'],
    [{ ...podReview(), request: [] }, 'request is an array, not an object.'],
    [podReview({ uid: undefined }), 'request.uid is missing, not a string.'],
    [podReview({ uid: 7 }), 'request.uid is 7, not a string.'],
    [podReview({ uid: '' }), 'request.uid is empty.'],
    [podReview({ uid: 'u'.repeat(129) }), 'request.uid is longer than 128 characters.'],
    [podReview({ kind: 'Pod' }), 'request.kind is "Pod", not an object.'],
    [podReview({ kind: { version: 'v1', kind: 'Pod' } }), 'request.kind.group is missing, not a string.'],
    [
      podReview({ kind: { group: '', version: null, kind: 'Pod' } }),
      'request.kind.version is null, not a string.',
    ],
    [
      podReview({ kind: { group: '', version: 'v1', kind: {} } }),
      'request.kind.kind is an object, not a string.',
    ],
    [
      podReview({ operation: 'create' }),
      'request.operation is "create", not one of CREATE, UPDATE, DELETE, CONNECT.',
    ],
    [
      podReview({ operation: undefined }),
      'request.operation is missing, not one of CREATE, UPDATE, DELETE, CONNECT.',
    ],
    [podReview({ object: 'Pod' }), 'request.object is "Pod", not an object.'],
    [podReview({ oldObject: [] }), 'request.oldObject is an array, not an object.'],
    [podReview({ dryRun: 'true' }), 'request.dryRun is "true", not a boolean.'],
    [podReview({ namespace: 'n'.repeat(254) }), 'request.namespace is longer than 253 characters.'],
    [podReview({ name: false }), 'request.name is false, not a string.'],
    [podReview({ subResource: 1 }), 'request.subResource is 1, not a string.'],
    [podReview({ userInfo: 'alice' }), 'request.userInfo is "alice", not an object.'],
    [
      podReview({ userInfo: { username: 'u'.repeat(1025) } }),
      'request.userInfo.username is longer than 1024 characters.',
    ],
  ])('T32 refuses %#: %s', (review, message) => {
    expect(refusal(review)).toBe(`ReviewInvalid: ${message}`);
  });

  it('T26 refuses keys that differ only by case as absent, never as meant', () => {
    const review = podReview();
    expect(refusal({ ...review, request: undefined, Request: review['request'] })).toBe(
      'ReviewInvalid: request is missing, not an object.',
    );
  });

  it('T31 quotes no more than a little of a value', () => {
    expect(String(refusal(podReview({ operation: 'x'.repeat(10_000) }))).length).toBeLessThan(200);
  });

  it('throws nothing but ReviewInvalid, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(() => parseAdmissionReview(Buffer.from(text))).toThrow(
          expect.objectContaining({ code: 'ReviewInvalid' }),
        );
      }),
    );
  });
});
