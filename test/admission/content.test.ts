import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Candidate, ReferrerEvent } from '../../src/admission/ports.ts';
import type { Verdict } from '../../src/admission/verdict.ts';
import type { Json } from '../../src/oci/strict-json.ts';
import { RefwardenError } from '../../src/failures/failure.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { checkExpression } from '../../src/verification/expression/check-expression.ts';
import { checkIssuerMaterial } from '../../src/verification/issuer-material.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import { image } from '../policy/sample-evidence.ts';
import { clusterPolicy, issuer, namespacedPolicy, parse } from '../policy/sample-resources.ts';
import type { Fields } from '../policy/sample-resources.ts';
import { attestedCandidate } from '../support/attested-candidate.ts';
import { decideOn, end, imageText, outcomes, pod, ScriptedSource, unusable } from './sample-decision.ts';
import type { Decision } from './sample-decision.ts';

const provenanceType = 'https://acme.example/build';
const scanType = 'https://acme.example/scan';

const keys = Object.fromEntries(
  ['builder', 'scanner', 'stranger'].map((name) => [
    name,
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ]),
);
const privateKey = (name: string) => {
  const pair = keys[name];
  if (pair === undefined) throw new Error(`no key ${name}`);
  return pair.privateKey;
};
const issuers = Object.entries(keys).map(([name, { publicKey }]) =>
  issuer(name, { key: { pem: publicKey.export({ format: 'pem', type: 'spki' }).toString() } }),
);

const built = (predicate: Json, by = 'builder'): Candidate =>
  attestedCandidate(image, provenanceType, predicate, privateKey(by));
const scanned = (predicate: Json, by = 'scanner'): Candidate =>
  attestedCandidate(image, scanType, predicate, privateKey(by));

const builtBy = (assert?: readonly Fields[]): Fields => ({
  name: 'built',
  attestation: { predicateType: provenanceType, issuers: ['builder'], ...(assert ? { assert } : {}) },
});
const scannedBy: Fields = { name: 'scanned', attestation: { predicateType: scanType, issuers: ['scanner'] } };
const says = (expression: string, message = 'it is not so'): Fields => ({ expression, message });

function policies(...specs: readonly Fields[]): PolicySnapshot {
  const resources = specs.map((spec, i) => clusterPolicy(`p${i}`, spec));
  return compileAll(resources);
}
const compileAll = (resources: readonly Fields[]): PolicySnapshot =>
  compilePolicies([...issuers, ...resources].map(parse), {
    material: () => '',
    check: checkIssuerMaterial,
    checkExpression,
  });

const decideBy = (
  snapshot: PolicySnapshot,
  events: readonly ReferrerEvent[],
  change: Partial<Decision> = {},
): Promise<Verdict> =>
  decideOn({
    source: new ScriptedSource({ referrers: () => [...events, end()] }),
    policies: snapshot,
    verifier: createVerifier(),
    ...change,
  });
const messageOf = ({ images }: Verdict): string => images[0]?.checks[0]?.message ?? '';

describe('assert', () => {
  const onMain = policies({
    require: [builtBy([says("predicate.branch == 'main'", 'built from a branch')])],
  });

  it('admits what its content says', async () => {
    const verdict = await decideBy(onMain, [built({ branch: 'main' })]);
    expect(outcomes(verdict)).toEqual(['passed -']);
    expect(verdict.images[0]?.checks[0]?.evidence).toHaveLength(1);
  });

  it('denies what says otherwise, in the words of the policy', async () => {
    const verdict = await decideBy(onMain, [built({ branch: 'feature' })]);
    expect(outcomes(verdict)).toEqual(['failed AssertionFailed blocks']);
    expect(messageOf(verdict)).toContain('built from a branch');
  });

  it('T29 one that says otherwise spoils nothing', async () => {
    const verdict = await decideBy(onMain, [built({ branch: 'feature' }), built({ branch: 'main' })]);
    expect(outcomes(verdict)).toEqual(['passed -']);
  });

  it('T19 no two attestations hold together what neither holds alone', async () => {
    const both = policies({
      require: [builtBy([says("predicate.branch == 'main'"), says('predicate.reviewed')])],
    });
    const halves = [built({ branch: 'main', reviewed: false }), built({ branch: 'x', reviewed: true })];
    expect(outcomes(await decideBy(both, halves))).toEqual(['failed AssertionFailed blocks']);
    expect(outcomes(await decideBy(both, [...halves, built({ branch: 'main', reviewed: true })]))).toEqual([
      'passed -',
    ]);
  });

  it('T16 content that a stranger signed is not asked', async () => {
    const verdict = await decideBy(onMain, [built({ branch: 'main' }, 'stranger')]);
    expect(outcomes(verdict)).toEqual(['failed SignerNotTrusted blocks']);
  });

  it('T22 a field that is not there is no pass', async () => {
    expect(outcomes(await decideBy(onMain, [built({})]))[0]).toMatch(/^failed \w+ blocks$/);
  });

  it('T27 the image, the workload and the namespace are those of the decision', async () => {
    const own = policies({
      require: [
        builtBy([
          says(
            "image.repository == 'acme/app' && image.tag == '1.4' && workload.kind == 'Pod' && namespaceObject.metadata.labels.env == predicate.env",
          ),
        ]),
      ],
    });
    const labels = (env: string): Partial<Decision> => ({ labels: () => Promise.resolve({ env }) });
    const events = [built({ env: 'prod' })];
    expect(outcomes(await decideBy(own, events, labels('prod')))).toEqual(['passed -']);
    expect(outcomes(await decideBy(own, events, labels('test')))).toEqual(['failed AssertionFailed blocks']);
  });

  it('T35 labels that are not known leave it open, though the policy selects by none', async () => {
    const own = policies({ require: [builtBy([says("namespaceObject.metadata.labels.env != 'prod'")])] });
    const verdict = await decideBy(own, [built({})], {
      labels: () => Promise.reject(new RefwardenError('NamespaceUnknown', 'Not seen yet.')),
    });
    expect(outcomes(verdict)).toEqual(['inconclusive NamespaceUnknown blocks']);
  });

  it('T24 what one policy asks of the content says nothing of another', async () => {
    const two = policies({ require: [builtBy([says('false')])] }, { require: [builtBy()] });
    expect(outcomes(await decideBy(two, [built({})]))).toEqual(['failed AssertionFailed blocks', 'passed -']);
  });

  it('T30 an expression that costs too much is stopped, and no policy waives it', async () => {
    const bomb = says('predicate.all(a, predicate.all(b, a == b || true))');
    const costly = policies({ onInconclusive: 'Admit', require: [builtBy([bomb])] });
    const predicate = Array.from({ length: 20_000 }, (_, i) => i);
    const verdict = await decideBy(costly, [built(predicate)]);
    expect(outcomes(verdict)).toEqual(['inconclusive ExpressionTooCostly blocks']);
  });
});

describe('crossChecks', () => {
  const require = [builtBy(), scannedBy];
  const sameCommit = says(
    'attestations.exists(a, attestations.exists(b, a.issuer != b.issuer && a.predicate.commit == b.predicate.commit))',
    'scanned something else',
  );
  const crossed = policies({ require, crossChecks: [sameCommit] });

  it('sees several attestations at once', async () => {
    const good = await decideBy(crossed, [built({ commit: 'c1' }), scanned({ commit: 'c1' })]);
    expect(outcomes(good)).toEqual(['passed -', 'passed -', 'passed -']);
    const bad = await decideBy(crossed, [built({ commit: 'c1' }), scanned({ commit: 'c2' })]);
    expect(outcomes(bad)).toEqual(['passed -', 'passed -', 'failed AssertionFailed blocks']);
    expect(bad.images[0]?.checks[2]).toMatchObject({ requirement: 'crossChecks' });
    expect(bad.images[0]?.checks[2]?.message).toContain('scanned something else');
  });

  it('T24 sees nothing that meets no requirement of its own policy', async () => {
    const none = says('attestations.size() == 2', 'others are seen');
    const snapshot = policies({ require, crossChecks: [none] }, { require: [builtBy()] });
    const other = attestedCandidate(image, 'https://acme.example/else', {}, privateKey('builder'));
    const verdict = await decideBy(snapshot, [built({}), other, scanned({}, 'builder'), scanned({})]);
    expect(outcomes(verdict)).toEqual(['passed -', 'passed -', 'passed -', 'passed -']);
  });

  it('T29 a copy of an attestation in another artifact is none more', async () => {
    const one = says('attestations.size() == 2');
    const copy = built({ commit: 'c1' });
    const again = { ...copy, digest: image };
    const verdict = await decideBy(policies({ require, crossChecks: [one] }), [copy, again, scanned({})]);
    expect(outcomes(verdict)).toEqual(['passed -', 'passed -', 'passed -']);
  });

  it('T28 what lists all that was found is open while something may be missing', async () => {
    const noBad = says('attestations.all(a, !has(a.predicate.bad))');
    const snapshot = policies({ require, crossChecks: [noBad] });
    const found = [built({}), scanned({})];
    const verdict = await decideBy(snapshot, [...found, unusable('RegistryTimeout')]);
    expect(outcomes(verdict)).toEqual(['passed -', 'passed -', 'inconclusive RegistryTimeout blocks']);
    const late = await decideBy(snapshot, [...found, built({ bad: true })]);
    expect(outcomes(late)).toEqual(['passed -', 'passed -', 'failed AssertionFailed blocks']);
  });

  it('T28 fails with what it reads, and passes nothing then', async () => {
    const verdict = await decideBy(crossed, [built({ commit: 'c1' })]);
    expect(outcomes(verdict)).toEqual([
      'passed -',
      'failed AttestationMissing blocks',
      // Over what was found the expressions might hold.
      'failed AttestationMissing blocks',
    ]);
  });

  it('T28 a verifier that breaks is no pass', async () => {
    const real = createVerifier();
    const verifier = {
      ...real,
      crossCheck: () => Promise.reject(new Error('broken')),
    };
    const verdict = await decideBy(crossed, [built({ commit: 'c1' }), scanned({ commit: 'c1' })], {
      verifier,
    });
    expect(outcomes(verdict)[2]).toBe('inconclusive InternalError blocks');
  });

  it('is judged by the mode of its policy, of a namespace too', async () => {
    const snapshot = compileAll([
      namespacedPolicy('shop', 'own', { mode: 'Warn', require, crossChecks: [says('false')] }),
    ]);
    const verdict = await decideOn(
      {
        source: new ScriptedSource({ referrers: () => [built({}), scanned({}), end()] }),
        policies: snapshot,
        verifier: createVerifier(),
      },
      pod([imageText]),
    );
    expect(outcomes(verdict)).toEqual(['passed -', 'passed -', 'failed AssertionFailed']);
    expect(verdict.allowed).toBe(true);
  });
});
