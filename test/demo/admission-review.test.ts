import { describe, expect, it } from 'vitest';
import { parseAdmissionReview } from '../../src/admission/admission-review.ts';
import { buildReview } from '../../src/demo/admission-review.ts';

describe('buildReview', () => {
  it('is a review of a new Pod with the image, each with a uid of its own', () => {
    const review = buildReview('registry.example/app:1');
    expect(parseAdmissionReview(Buffer.from(JSON.stringify(review)))).toMatchObject({
      uid: review.request.uid,
      kind: { group: '', version: 'v1', kind: 'Pod' },
      operation: 'CREATE',
      namespace: 'default',
      object: { spec: { containers: [{ name: 'app', image: 'registry.example/app:1' }] } },
    });
    expect(buildReview('registry.example/app:1').request.uid).not.toBe(review.request.uid);
  });
});
