import { describe, expect, it } from 'vitest';
import { failure, RefwardenError } from '../../src/failures/failure.ts';
import { Turn } from '../../src/scheduling/fair-queue.ts';
import {
  clusterPolicy,
  compile,
  keyIssuer,
  namespacedPolicy,
  sbomBy,
  signedBy,
} from '../policy/sample-resources.ts';
import {
  candidate,
  decideOn,
  end,
  imageText,
  outcomes,
  plainVerifier,
  pod,
  ScriptedSource,
  signed,
  signedPolicy,
} from './sample-decision.ts';

const acme = keyIssuer('acme');

describe('a review that is cut short before it is known which policies select an image', () => {
  it.each([
    ['Enforce', 'inconclusive DeadlineExceeded blocks', false],
    ['Audit', 'inconclusive DeadlineExceeded', true],
  ])('leaves a policy open under its own mode, %s', async (mode, outcome, allowed) => {
    const policies = compile([acme, clusterPolicy('prod', { mode, require: [signedBy('acme')] })]);
    // The turn is over when it begins, and so is its time when the next one comes.
    const endMs = performance.now() + 10;
    await new Turn('shop').do(() => {
      while (performance.now() < endMs);
    });
    const verdict = await decideOn({ policies }, pod([imageText]), { signal: AbortSignal.abort() });
    expect(outcomes(verdict)).toEqual([outcome]);
    expect(verdict.allowed).toBe(allowed);
  });
});

describe('a fault of ours before it is known which policies select an image', () => {
  it('T28 is told of as that, and never left to the mode of a policy', async () => {
    const policies = compile([acme, clusterPolicy('prod', { mode: 'Audit', require: [signedBy('acme')] })]);
    const throws = (): never => {
      throw new Error('a fault of ours');
    };
    for (const { images } of policies.policies) {
      for (const pattern of images) Object.assign(pattern, { matches: throws, mayMean: throws });
    }
    const verdict = await decideOn({ policies });
    expect(verdict).toMatchObject({
      allowed: false,
      outcome: 'inconclusive',
      failure: { code: 'InternalError' },
    });
  });
});

describe('a search that is cut short', () => {
  it('takes nothing away that it proved: an Audit policy that is still searched for denies nothing', async () => {
    const ending = new AbortController();
    const source = new ScriptedSource({
      referrers: async function* () {
        yield signed();
        ending.abort();
        await new Promise(() => undefined);
        yield end();
      },
    });
    const policies = compile([
      acme,
      clusterPolicy('enforced', { require: [signedBy('acme')] }),
      clusterPolicy('audited', { mode: 'Audit', require: [sbomBy('acme')] }),
    ]);
    const verdict = await decideOn({ source, policies }, pod([imageText]), { signal: ending.signal });
    expect(outcomes(verdict)).toEqual(['passed -', 'inconclusive DeadlineExceeded']);
    expect(verdict.allowed).toBe(true);
  });

  it('on the second pass before a deny keeps what the first proved', async () => {
    const ending = new AbortController();
    let passes = 0;
    const source = new ScriptedSource({
      referrers: async function* () {
        passes++;
        if (passes === 2) {
          ending.abort();
          await new Promise(() => undefined);
        }
        yield signed();
        yield end({ listingAgeMs: 30_000 });
      },
    });
    const policies = compile([
      acme,
      clusterPolicy('p', { require: [signedBy('acme'), { ...sbomBy('acme'), name: 'sbom' }] }),
    ]);
    const verdict = await decideOn({ source, policies }, pod([imageText]), { signal: ending.signal });
    expect(passes).toBe(2);
    expect(outcomes(verdict)).toEqual(['passed -', 'inconclusive DeadlineExceeded blocks']);
  });

  it('is not repeated for a policy that does not deny', async () => {
    const source = new ScriptedSource({ referrers: () => [end({ listingAgeMs: 30_000 })] });
    await decideOn({ source, policies: signedPolicy({ mode: 'Audit' }) });
    expect(source.listed).toHaveLength(1);
  });
});

describe('noMatch: Deny', () => {
  const mine = namespacedPolicy('shop', 'mine', {
    mode: 'Audit',
    require: [{ name: 'pinned', pinned: true }],
  });

  it("T24 is not lifted by a tenant's own policy", async () => {
    const verdict = await decideOn({ policies: compile([acme, mine], 'Deny') });
    expect(verdict.allowed).toBe(false);
    expect(outcomes(verdict)).toEqual(['failed NotPinned', 'failed NoPolicyMatches blocks']);
  });

  it('does not deny a template that a policy for Pods selects', async () => {
    const policies = compile(
      [acme, clusterPolicy('p', { workloads: 'Pods', require: [signedBy('acme')] })],
      'Deny',
    );
    const deployment = pod([imageText], { kind: 'Deployment', isTemplate: true });
    expect((await decideOn({ policies }, deployment)).allowed).toBe(true);
    expect((await decideOn({ policies }, pod([imageText]))).allowed).toBe(false);
  });
});

describe('what is left out', () => {
  it('T11 is a gap, never nothing found', async () => {
    const why = failure('ArtifactTooLarge', 'Layer sha256:ab takes 70000 bytes, more than is read.');
    const verifier = {
      ...plainVerifier,
      needs: () => ({ layers: [], vouched: [], subjectDocument: false, skipped: [why] }),
    };
    const source = new ScriptedSource({ referrers: () => [signed(), end()] });
    const verdict = await decideOn({ source, verifier });
    expect(outcomes(verdict)).toEqual(['inconclusive ArtifactTooLarge blocks']);
    expect(verdict.images[0]?.checks[0]?.message).toBe(why.message);
  });

  it('T11 bounds the signatures that are verified for one image', async () => {
    let verified = 0;
    const junk = Array.from({ length: 20 }, (_, i) =>
      candidate(
        `junk ${i}`,
        ...Array.from({ length: 40 }, (__, j) => ({ evidence: [], rejections: [], note: `${i} ${j}` })),
      ),
    );
    const verifier = {
      ...plainVerifier,
      verify: (request: Parameters<typeof plainVerifier.verify>[0]) => {
        verified += request.layers.size;
        return plainVerifier.verify(request);
      },
    };
    const source = new ScriptedSource({ referrers: () => [...junk, end()] });
    const verdict = await decideOn({ source, verifier });
    expect(outcomes(verdict)).toEqual(['inconclusive TooManyReferrers blocks']);
    expect(verified).toBeLessThanOrEqual(512);
  });
});

describe('what lies behind a failure', () => {
  it('T31 reaches the recorder and nothing else', async () => {
    const cause = new Error('certificate has expired');
    const source = new ScriptedSource({
      resolve: () =>
        Promise.reject(new RefwardenError('RegistryUnavailable', 'ghcr.io cannot be reached.', cause)),
    });
    const verdict = await decideOn({ source });
    expect(verdict.images[0]?.checks[0]?.cause).toBe(cause);
    expect(JSON.stringify(verdict)).not.toContain('expired');
  });
});
