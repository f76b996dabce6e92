import { describe, expect, it } from 'vitest';
import { failure } from '../../src/failures/failure.ts';
import { evaluateRequirement } from '../../src/policy/evaluate.ts';
import { isEvidenceRequirement } from '../../src/policy/requirements.ts';
import type { Evaluation } from '../../src/policy/evaluate.ts';
import type { AssertionResult, Evidence } from '../../src/policy/evidence.ts';
import type { EvidenceRequirement } from '../../src/policy/snapshot.ts';
import {
  artifact,
  attestation,
  digestOf,
  identity,
  image,
  key,
  signature,
  spdxType,
} from './sample-evidence.ts';
import { clusterPolicy, compile, keylessIssuer } from './sample-resources.ts';
import type { Fields } from './sample-resources.ts';

const nowMs = Date.parse('2026-06-01T12:00:00Z');
const day = 86_400_000;

function requirement(fields: Fields): EvidenceRequirement {
  const [policy] = compile([
    ...['acme', 'a', 'b', 'c'].map((name) => keylessIssuer(name)),
    clusterPolicy('p', { require: [{ name: 'one', ...fields }] }),
  ]).policies;
  const compiled = policy?.requirements[0];
  if (compiled === undefined || compiled.kind === 'anyOf' || compiled.kind === 'crossCheck')
    throw new Error('no single requirement');
  if (!isEvidenceRequirement(compiled)) throw new Error('no requirement that evidence satisfies');
  return compiled;
}

const signed = (fields: Fields = {}): EvidenceRequirement =>
  requirement({ signature: { issuers: ['acme'], ...fields } });
const sbom = (fields: Fields = {}): EvidenceRequirement =>
  requirement({ sbom: { formats: ['SPDX'], issuers: ['acme'], ...fields } });
const provenance = 'https://slsa.dev/provenance/v1';
const built = (fields: Fields = {}): EvidenceRequirement =>
  requirement({ attestation: { predicateType: provenance, issuers: ['acme'], ...fields } });

const evaluate = (asked: EvidenceRequirement, ...evidence: Evidence[]): Evaluation =>
  evaluateRequirement(asked, evidence, image, nowMs);
const satisfied = (...evidence: Evidence[]): unknown => ({ satisfied: true, evidence });
const missing = (code: string, message: string): unknown => ({
  satisfied: false,
  failure: { code, message: expect.stringContaining(message) as string },
});

describe('a signature requirement', () => {
  it('is satisfied by a signature of the image by a listed issuer', () => {
    expect(evaluate(signed(), signature())).toEqual(satisfied(signature()));
    expect(evaluate(signed({ issuers: ['b', 'acme'] }), signature())).toEqual(satisfied(signature()));
  });

  it.each<[string, Evidence[]]>([
    ['nothing at all', []],
    ['an issuer that is not listed', [signature({ issuer: 'b' })]],
    ['a signature of another image', [signature({ subject: digestOf('other') })]],
    ['a signature of the artifact itself', [signature({ subject: artifact })]],
    [
      'an attestation',
      [attestation(), attestation({ predicateType: 'https://sigstore.dev/cosign/sign/v1' })],
    ],
    ['a signature that no longer counts', [signature({ validUntilMs: nowMs })]],
    ['a signature that stopped counting long ago', [signature({ validUntilMs: nowMs - day })]],
  ])('T15 T16 T25 is not satisfied by %s', (_, evidence) => {
    expect(evaluate(signed(), ...evidence)).toEqual(missing('SignatureMissing', 'no signature was found'));
  });

  it('T25 counts evidence until the millisecond that it is valid to', () => {
    expect(evaluate(signed(), signature({ validUntilMs: nowMs + 1 })).satisfied).toBe(true);
  });

  it('T29 is satisfied by one good signature among many that do not count', () => {
    const junk = Array.from({ length: 50 }, (_, i) => signature({ issuer: 'c', signer: key(`junk${i}`) }));
    expect(evaluate(signed(), ...junk, signature(), ...junk)).toEqual(satisfied(signature()));
  });
});

describe('a signature inherited from an index', () => {
  const parent = digestOf('index');
  const ofIndex = signature({ subject: parent, indexes: [parent], path: [image, parent, artifact] });

  it('counts where the index is on the proven path', () => {
    expect(evaluate(signed(), ofIndex)).toEqual(satisfied(ofIndex));
  });

  it('T15 does not count where policy forbids it', () => {
    expect(evaluate(signed({ inheritFromIndex: false }), ofIndex).satisfied).toBe(false);
    expect(evaluate(signed({ inheritFromIndex: false }), signature()).satisfied).toBe(true);
  });

  it('T15 does not count for an index that was never proven to hold the image', () => {
    expect(evaluate(signed(), { ...ofIndex, indexes: [], path: [image, artifact] })).toEqual(
      missing('SignatureMissing', 'no signature'),
    );
    expect(evaluate(signed(), { ...ofIndex, indexes: [digestOf('another index')] }).satisfied).toBe(false);
  });

  it('T15 does not count for an artifact on the way: who signed an SBOM did not sign the image', () => {
    const ofSbom = signature({
      subject: artifact,
      path: [image, artifact, digestOf('signature of the SBOM')],
    });
    expect(evaluate(signed(), ofSbom)).toEqual(missing('SignatureMissing', 'no signature'));
  });

  it('T16 is a matter of signatures: an SBOM must name the image itself', () => {
    const ofParent = attestation({ subject: parent, indexes: [parent], path: [image, parent, artifact] });
    expect(evaluate(sbom(), ofParent)).toEqual(missing('SbomMissing', 'no SBOM attestation was found'));
    const naming = attestation({ subject: image, indexes: [parent], path: [image, parent, artifact] });
    expect(evaluate(sbom(), naming)).toEqual(satisfied(naming));
  });
});

describe('a threshold of issuers', () => {
  const by = (issuer: string, signer = key(issuer)): Evidence =>
    signature({ issuer, signer, artifact: digestOf(`${issuer} ${JSON.stringify(signer)}`) });
  const twoOf = (...issuers: string[]): EvidenceRequirement => signed({ issuers, minimumIssuers: 2 });
  const tooFew = (found: number): unknown =>
    missing(
      'TooFewIssuers',
      `distinct issuers must sign, each with a key or identity of its own; found ${found}: `,
    );

  it('is met by two issuers with two keys', () => {
    expect(evaluate(twoOf('a', 'b'), by('a'), by('b'))).toEqual(satisfied(by('a'), by('b')));
  });

  it.each<[string, Evidence[]]>([
    ['two signatures of one key', [by('a'), by('a')]],
    ['two keys behind one issuer', [by('a', key('one')), by('a', key('two'))]],
    ['one key behind two issuers', [by('a', key('one')), by('b', key('one'))]],
    [
      'one identity with two certificates',
      [by('a', identity('me', 'cert 1')), by('b', identity('me', 'cert 2'))],
    ],
    ['one issuer that is listed and one that is not', [by('a'), by('c')]],
    ['one that counts and one that has expired', [by('a'), { ...by('b'), validUntilMs: nowMs }]],
    ['one signature and one attestation', [by('a'), { ...by('b'), kind: 'attestation' }]],
    ['one of the image and one of another', [by('a'), { ...by('b'), subject: digestOf('other') }]],
  ])('T19 T36 is not met by %s', (_, evidence) => {
    expect(evaluate(twoOf('a', 'b'), ...evidence)).toEqual(tooFew(1));
  });

  it('T36 tells identities of two OIDC issuers apart', () => {
    const evidence = [
      by('a', identity('me', 'c', 'https://one.example')),
      by('b', identity('me', 'd', 'https://two.example')),
    ];
    expect(evaluate(twoOf('a', 'b'), ...evidence).satisfied).toBe(true);
  });

  it('T36 finds the assignment of keys to issuers, whatever the order of the evidence', () => {
    // a holds both keys, b only the first: a has to give that one up.
    const evidence = [by('a', key('shared')), by('a', key('own')), by('b', key('shared'))];
    for (const order of permutations(evidence))
      expect(evaluate(twoOf('a', 'b'), ...order).satisfied).toBe(true);
  });

  it('T36 finds an assignment through a chain of three issuers', () => {
    const three = signed({ issuers: ['a', 'b', 'c'], minimumIssuers: 3 });
    const chain = [
      by('a', key('1')),
      by('a', key('2')),
      by('b', key('2')),
      by('b', key('3')),
      by('c', key('1')),
    ];
    for (const order of permutations(chain)) {
      const evaluation = evaluate(three, ...order);
      expect(evaluation.satisfied).toBe(true);
    }
    const short = [
      by('a', key('1')),
      by('b', key('1')),
      by('b', key('2')),
      by('c', key('2')),
      by('a', key('2')),
    ];
    for (const order of permutations(short)) expect(evaluate(three, ...order)).toEqual(tooFew(2));
  });

  it('T36 counts distinct issuers and distinct keys in what it returns', () => {
    const evaluation = evaluate(
      twoOf('a', 'b'),
      by('a', key('shared')),
      by('b', key('shared')),
      by('a', key('own')),
      by('b', key('b')),
    );
    if (!evaluation.satisfied) throw new Error('not satisfied');
    expect(new Set(evaluation.evidence.map(({ issuer }) => issuer)).size).toBe(2);
    expect(new Set(evaluation.evidence.map(({ signer }) => JSON.stringify(signer))).size).toBe(2);
  });
});

describe('an SBOM requirement', () => {
  it('is satisfied by an SPDX attestation of the image', () => {
    expect(evaluate(sbom(), attestation())).toEqual(satisfied(attestation()));
  });

  const withoutSbom = (change: Partial<Evidence> = {}): Evidence => {
    const item = { ...attestation(change) };
    delete (item as { sbom?: unknown }).sbom;
    return item;
  };

  it.each<[string, Evidence[], string, string]>([
    ['nothing', [], 'SbomMissing', 'no SBOM attestation was found'],
    ['a signature', [signature()], 'SbomMissing', 'no SBOM attestation was found'],
    [
      'an SBOM of another image',
      [attestation({ subject: digestOf('other') })],
      'SbomMissing',
      'no SBOM attestation was found',
    ],
    [
      'an SBOM by another issuer',
      [attestation({ issuer: 'b' })],
      'SbomMissing',
      'no SBOM attestation was found',
    ],
    [
      'an SBOM type whose content is none',
      [withoutSbom()],
      'PredicateTypeMismatch',
      `found only attestations of ${spdxType}`,
    ],
    ['provenance', [withoutSbom({ predicateType: provenance })], 'PredicateTypeMismatch', provenance],
  ])('T16 is not satisfied by %s', (_, evidence, code, message) => {
    expect(evaluate(sbom(), ...evidence)).toEqual(missing(code, message));
  });
});

describe('an attestation requirement', () => {
  it('T16 compares the predicate type exactly', () => {
    expect(evaluate(built(), attestation({ predicateType: provenance })).satisfied).toBe(true);
    for (const predicateType of [
      `${provenance}/`,
      `${provenance}.1`,
      'https://slsa.dev/provenance/v0.2',
      provenance.toUpperCase(),
      '',
    ]) {
      expect(evaluate(built(), attestation({ predicateType }))).toEqual(
        missing('PredicateTypeMismatch', 'found only attestations of'),
      );
    }
  });

  it('T16 takes no bare file for an attestation: nobody signed what type it is of', () => {
    expect(evaluate(built(), attestation({ predicateType: provenance, format: 'BareSbom' })).satisfied).toBe(
      false,
    );
  });

  it('T16 takes no signature for an attestation, whatever type it bears', () => {
    expect(evaluate(built(), signature({ predicateType: provenance }))).toEqual(
      missing('AttestationMissing', 'no attestation was found'),
    );
  });
});

describe('maxAge', () => {
  const signer = identity('ci@acme.example');
  const aged = (ageMs: number): Evidence => attestation({ signer, signedAtMs: nowMs - ageMs });

  it('T25 counts evidence up to its age and not beyond', () => {
    const asked = sbom({ maxAge: '30d' });
    expect(evaluate(asked, aged(30 * day)).satisfied).toBe(true);
    expect(evaluate(asked, aged(30 * day + 1))).toEqual(
      missing('EvidenceTooOld', 'the newest was signed 2026-05-02T11:59:59.999Z, policy allows 30 days'),
    );
    expect(evaluate(asked, aged(31 * day), aged(day)).satisfied).toBe(true);
    expect(evaluate(sbom(), aged(10_000 * day)).satisfied).toBe(true);
  });

  it('T25 takes undated evidence for undated, never for new', () => {
    expect(evaluate(sbom({ maxAge: '30d' }), attestation())).toEqual(
      missing('EvidenceUndated', 'nothing trusted says when it was made'),
    );
    expect(evaluate(sbom({ maxAge: '12h' }), attestation(), aged(day))).toEqual(
      missing('EvidenceTooOld', '12 hours'),
    );
    expect(evaluate(built({ maxAge: '90s' }), { ...aged(day), predicateType: provenance })).toEqual(
      missing('EvidenceTooOld', '90 seconds'),
    );
  });
});

it('T25 a signature by a key is of no known age: anybody can have an old one dated anew', () => {
  const old = attestation({ signedAtMs: nowMs });
  expect(old.signer.kind).toBe('key');
  expect(evaluate(sbom({ maxAge: '30d' }), old)).toEqual(
    missing('EvidenceUndated', 'nothing trusted says when it was made'),
  );
});

it('T21 an empty list of evidence satisfies no kind of requirement', () => {
  for (const asked of [signed(), sbom(), built(), signed({ issuers: ['a', 'b'], minimumIssuers: 2 })]) {
    expect(evaluate(asked).satisfied).toBe(false);
    // Not even one that asks for no issuer at all, which has no type.
    const byNobody = { ...asked, issuers: [] } as unknown as EvidenceRequirement;
    expect(evaluate(byNobody, signature(), attestation()).satisfied).toBe(false);
    expect(evaluate({ ...asked, minimumIssuers: 0 } as EvidenceRequirement).satisfied).toBe(false);
  }
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

describe('an attestation of which something is asked', () => {
  const assert = [{ expression: 'true', message: 'm' }];
  const asked = sbom({ assert });
  const { fingerprint } =
    asked.kind === 'signature' ? { fingerprint: '' } : (asked.assertions ?? { fingerprint: '' });
  const resulting = (result: AssertionResult, change: Partial<Evidence> = {}): Evidence =>
    attestation({ assertions: { [fingerprint]: result }, ...change });
  const broken: AssertionResult = { holds: false, failure: failure('PayloadInvalid', 'it is not so') };

  it('counts when all of it holds', () => {
    const good = resulting({ holds: true });
    expect(evaluate(asked, good)).toEqual(satisfied(good));
  });

  it('does not count when it does not hold, and says so', () => {
    expect(evaluate(asked, resulting(broken))).toEqual({ satisfied: false, failure: broken.failure });
  });

  it('T28 does not count when nobody evaluated it', () => {
    const results = [undefined, {}, { other: { holds: true } as const }];
    for (const assertions of results) {
      const item = assertions === undefined ? attestation() : attestation({ assertions });
      expect(evaluate(asked, item)).toEqual(missing('InternalError', 'were not evaluated'));
    }
    expect(
      evaluate(
        asked,
        attestation({
          assertions: Object.create({ [fingerprint]: { holds: true } }) as Record<string, AssertionResult>,
        }),
      ),
    ).toEqual(missing('InternalError', 'were not evaluated'));
  });

  it('T29 counts beside others that do not hold, in any order', () => {
    const good = resulting({ holds: true }, { artifact: digestOf('good') });
    expect(evaluate(asked, resulting(broken), good)).toEqual(satisfied(good));
    expect(evaluate(asked, good, resulting(broken))).toEqual(satisfied(good));
  });

  it('T19 must hold for one that is fresh, too', () => {
    const old = resulting({ holds: true }, { signer: identity('me'), signedAtMs: nowMs - 3 * day });
    const fresh = resulting(broken, { signer: identity('me'), signedAtMs: nowMs });
    expect(evaluate(sbom({ assert, maxAge: '1d' }), old, fresh)).toMatchObject({
      satisfied: false,
      failure: broken.failure,
    });
  });
});
