import { describe, expect, it } from 'vitest';
import { parseAdmissionReview } from '../../src/admission/admission-review.ts';
import type { AdmissionRequest } from '../../src/admission/admission-review.ts';
import type { ReviewAnswer } from '../../src/admission/answer.ts';
import { review } from '../../src/admission/review.ts';
import type { Verdict } from '../../src/admission/verdict.ts';
import { end, portsOf, ScriptedSource, signed } from './sample-decision.ts';
import type { Decision } from './sample-decision.ts';
import { containers, objectOf, requestOf } from './sample-review.ts';

const answer = (request: AdmissionRequest, decision: Decision): Promise<ReviewAnswer> =>
  review(request, portsOf(decision), { signal: new AbortController().signal });
const pod = (image = 'ghcr.io/acme/app:1.4'): AdmissionRequest =>
  requestOf('Pod', 'CREATE', { object: objectOf('Pod', containers(image)) });

describe('review', () => {
  it('admits a signed pod and denies an unsigned one, from the bytes of the review on', async () => {
    const { object, ...rest } = pod();
    const body = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { ...rest, object } };
    const request = parseAdmissionReview(new TextEncoder().encode(JSON.stringify(body)));
    const source = new ScriptedSource({ referrers: () => [signed(), end()] });
    expect(await answer(request, { source })).toMatchObject({ allowed: true, message: '' });
    const denied = await answer(request, {});
    expect(denied.allowed).toBe(false);
    expect(denied.message).toMatch(
      /^1 image, 1 not admitted\nghcr\.io\/acme\/app:1\.4 \(sha256:[0-9a-f]{8}\), container "c0"\n {2}SignatureMissing: policy prod \(signed\)/,
    );
  });

  it.each([
    [
      'a kind that is not read',
      requestOf('Node', 'CREATE', { object: {} }),
      'denied',
      'WorkloadUnsupported: core/v1 Node is no kind',
    ],
    [
      'a misshapen workload',
      requestOf('Pod', 'CREATE', { object: {} }),
      'denied',
      'WorkloadInvalid: spec is not an object',
    ],
    [
      'a missing object',
      requestOf('Pod', 'CREATE'),
      'denied',
      'WorkloadInvalid: request.object of a CREATE of Pod is missing.',
    ],
  ])('T28 denies %s and records it', async (_, request, outcome, message) => {
    const recorded: Verdict[] = [];
    const refused = await answer({ ...request, dryRun: true }, { recorded });
    expect(refused.allowed).toBe(false);
    expect(refused.message).toContain(message);
    expect(recorded).toMatchObject([
      { outcome, allowed: false, images: [], dryRun: true, workload: { namespace: 'shop', name: 'app' } },
    ]);
  });

  it('records each decision once', async () => {
    const recorded: Verdict[] = [];
    await answer(pod(), { recorded });
    expect(recorded).toHaveLength(1);
  });

  it('T05 lets an update through that brings no new image, asking nobody', async () => {
    const source = new ScriptedSource();
    const object = objectOf('Pod', containers('unsigned:1'));
    expect(
      (
        await answer(requestOf('Pod', 'UPDATE', { object, oldObject: object }), {
          source,
          policies: undefined,
        })
      ).allowed,
    ).toBe(true);
    expect(source.resolved).toEqual([]);
  });
});
