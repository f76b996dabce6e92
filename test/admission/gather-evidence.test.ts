import { describe, expect, it } from 'vitest';
import { maxListingAgeForDenyMs } from '../../src/admission/gather-for-verdict.ts';
import type { ReferrerEvent } from '../../src/admission/ports.ts';
import { failure, RefwardenError } from '../../src/failures/failure.ts';
import type { CrossCheckRequest, VerificationRequest } from '../../src/verification/verification.ts';
import { attestation, digestOf, image } from '../policy/sample-evidence.ts';
import { clusterPolicy, compile, keyIssuer, sbomBy, signedBy } from '../policy/sample-resources.ts';
import {
  candidate,
  decideOn,
  end,
  evidenceBy,
  outcomes,
  parent,
  plainVerifier,
  ScriptedSource,
  signed,
  signedPolicy,
  unusable,
} from './sample-decision.ts';

const index = digestOf('index');
const issuers = [keyIssuer('acme'), keyIssuer('b')];
const policiesOf = (...require: object[]): ReturnType<typeof compile> =>
  compile([...issuers, clusterPolicy('prod', { require })]);
const sbom = candidate('sbom', { evidence: [attestation()] });

describe('the search for evidence', () => {
  it('T29 finds the good one among unusable, foreign and bad ones, and says nothing of those', async () => {
    const source = new ScriptedSource({
      referrers: () => [
        unusable('ManifestAmbiguous'),
        unusable('DigestMismatch'),
        candidate('empty'),
        candidate('bad', { rejections: [{ code: 'SignatureInvalid', message: 'It does not verify.' }] }),
        {
          ...signed('unreadable'),
          fetchLayer: () => Promise.reject(new RefwardenError('SizeMismatch', 'Too long.')),
        },
        {
          ...signed('late'),
          fetchLayer: () => Promise.reject(new RefwardenError('RegistryTimeout', 'Late.')),
        },
        signed(),
        end(),
      ],
    });
    const verdict = await decideOn({ source });
    expect(verdict.allowed).toBe(true);
    expect(verdict.images[0]?.checks).toMatchObject([
      { outcome: 'passed', misses: [], evidence: [{ artifact: digestOf('signature') }] },
    ]);
  });

  it('T29 one bad layer of an artifact does not spoil the good one beside it', async () => {
    const bad = { rejections: [{ code: 'SignatureInvalid' as const, message: 'It does not verify.' }] };
    const both = candidate('both', bad, { evidence: [evidenceBy('acme')] });
    expect((await decideOn({ source: new ScriptedSource({ referrers: () => [both, end()] }) })).allowed).toBe(
      true,
    );
    const [first] = both.manifest.layers;
    const halfRead = {
      ...both,
      fetchLayer: (...[layer, access]: Parameters<typeof both.fetchLayer>) =>
        layer.digest === first?.digest
          ? Promise.reject(new RefwardenError('RegistryTimeout', 'Late.'))
          : both.fetchLayer(layer, access),
    };
    expect(
      (await decideOn({ source: new ScriptedSource({ referrers: () => [halfRead, end()] }) })).allowed,
    ).toBe(true);
  });

  it('T29 a signature that could not be read leaves a deny inconclusive', async () => {
    const late = {
      ...signed(),
      fetchLayer: () => Promise.reject(new RefwardenError('RegistryTimeout', 'Late.')),
    };
    const verdict = await decideOn({ source: new ScriptedSource({ referrers: () => [late, end()] }) });
    expect(outcomes(verdict)).toEqual(['inconclusive RegistryTimeout blocks']);
  });

  it('T29 stops as soon as every requirement is satisfied', async () => {
    const source = new ScriptedSource({
      referrers: function* (): Generator<ReferrerEvent> {
        yield signed();
        for (let i = 0; ; i++) yield unusable('SubjectMissing', String(i));
      },
    });
    expect((await decideOn({ source })).allowed).toBe(true);
    expect(source.handedOver).toBe(1);
    expect(source.walked).toEqual([]);
  });

  it('goes on while one requirement is open, and asks for what those can use', async () => {
    const source = new ScriptedSource({
      referrers: () => [signed(), unusable('SubjectMissing'), sbom, signed('further'), end()],
    });
    expect((await decideOn({ source, policies: policiesOf(signedBy('acme'), sbomBy('acme')) })).allowed).toBe(
      true,
    );
    expect(source.handedOver).toBe(3);
    expect(source.listed.map(({ wanted }) => wanted)).toEqual([
      { signatures: true, attestations: true, sboms: true, predicateTypes: [] },
    ]);
    const forSbom = new ScriptedSource({ referrers: () => [sbom, end()] });
    await decideOn({ source: forSbom, policies: policiesOf(sbomBy('acme')) });
    expect(forSbom.listed.map(({ wanted }) => wanted)).toEqual([
      { signatures: false, attestations: true, sboms: true, predicateTypes: [] },
    ]);
  });

  it('T11 verifies an artifact once, however often it is listed', async () => {
    let verified = 0;
    const verifier = {
      ...plainVerifier,
      verify: (request: VerificationRequest) => {
        verified++;
        return plainVerifier.verify(request);
      },
    };
    const stranger = candidate('stranger', {
      rejections: [{ code: 'SignerNotTrusted', message: 'Not listed.' }],
    });
    const source = new ScriptedSource({
      referrers: () => [...Array<typeof stranger>(100).fill(stranger), end()],
    });
    await decideOn({ source, verifier });
    expect(verified).toBe(1);
  });

  it('T11 fetches no more than eight layers at once, and none of an artifact of no known form', async () => {
    let running = 0;
    let most = 0;
    const contents = Array.from({ length: 30 }, (_, i) => ({
      rejections: [{ code: 'SignatureInvalid' as const, message: String(i) }],
    }));
    const many = candidate('many', ...contents);
    const counted = {
      ...many,
      fetchLayer: async (...args: Parameters<typeof many.fetchLayer>) => {
        most = Math.max(most, ++running);
        await new Promise(setImmediate);
        running--;
        return many.fetchLayer(...args);
      },
    };
    await decideOn({ source: new ScriptedSource({ referrers: () => [counted, end()] }) });
    expect(most).toBe(8);
    most = 0;
    const unknown = {
      ...plainVerifier,
      needs: () => ({ layers: [], vouched: [], subjectDocument: false, skipped: [] }),
    };
    await decideOn({ source: new ScriptedSource({ referrers: () => [counted, end()] }), verifier: unknown });
    expect(most).toBe(0);
  });

  it('fetches the bytes of the subject for a form that signs them', async () => {
    const bytes = new TextEncoder().encode('the manifest');
    const seen: unknown[] = [];
    const verifier = {
      ...plainVerifier,
      needs: (...args: Parameters<typeof plainVerifier.needs>) => ({
        ...plainVerifier.needs(...args),
        vouched: [],
        subjectDocument: true,
      }),
      crossCheck: (request: CrossCheckRequest) => plainVerifier.crossCheck(request),
      verify: (request: VerificationRequest) => {
        seen.push(request.subjectDocument);
        return plainVerifier.verify(request);
      },
    };
    const source = new ScriptedSource({
      referrers: () => [signed(), end()],
      fetchDocument: () => Promise.resolve(bytes),
    });
    expect((await decideOn({ source, verifier })).allowed).toBe(true);
    expect(source.documents).toEqual([image]);
    expect(seen).toEqual([bytes]);
    const lost = new ScriptedSource({
      referrers: () => [signed(), end()],
      fetchDocument: () => Promise.reject(new RefwardenError('RegistryTimeout', 'Late.')),
    });
    expect(outcomes(await decideOn({ source: lost, verifier }))).toEqual([
      'inconclusive RegistryTimeout blocks',
    ]);
  });

  it('T36 counts two issuers over two artifacts, and one signer behind both once', async () => {
    const two = compile([
      ...issuers,
      clusterPolicy('p', {
        require: [{ name: 'two', signature: { issuers: ['acme', 'b'], minimumIssuers: 2 } }],
      }),
    ]);
    const holding = (...events: ReferrerEvent[]): ScriptedSource =>
      new ScriptedSource({ referrers: () => [...events, end()] });
    expect((await decideOn({ policies: two, source: holding(signed('1'), signed('2', 'b')) })).allowed).toBe(
      true,
    );
    const { signer } = evidenceBy('acme');
    const same = candidate('same', { evidence: [evidenceBy('b', { signer })] });
    const verdict = await decideOn({ policies: two, source: holding(signed('1'), signed('again'), same) });
    expect(outcomes(verdict)).toEqual(['failed TooFewIssuers blocks']);
    expect(verdict.images[0]?.checks[0]?.message).toContain('found 1: acme as key sha256:');
  });

  it('asks for what was found in the order of how close it came', async () => {
    const rejecting = (
      name: string,
      code: 'SignatureInvalid' | 'SignerNotTrusted' | 'PayloadInvalid',
      signer?: string,
    ): ReferrerEvent =>
      candidate(name, {
        rejections: [{ code, message: `${code} it is.`, ...(signer === undefined ? {} : { signer }) }],
      });
    const source = new ScriptedSource({
      referrers: () => [
        unusable('ManifestInvalid'),
        rejecting('a', 'PayloadInvalid'),
        rejecting('b', 'SignatureInvalid'),
        rejecting('c', 'SignerNotTrusted', 'mallory'),
        end(),
      ],
    });
    const [check] = (await decideOn({ source })).images[0]?.checks ?? [];
    expect(check?.code).toBe('SignerNotTrusted');
    expect(check?.message).toBe('asks for a signature by acme. Found 4: mallory. SignerNotTrusted it is.');
    expect(check?.misses.slice(0, 2).map(({ code }) => code)).toEqual([
      'SignerNotTrusted',
      'SignatureInvalid',
    ]);
  });
});

describe('T29 what somebody pushed and cannot be read', () => {
  const policies = compile([
    ...issuers,
    clusterPolicy('prod', { require: [signedBy('acme')], onInconclusive: 'Admit' }),
  ]);
  const late = (): Promise<never> => Promise.reject(new RefwardenError('RegistryTimeout', 'Late.'));

  it.each([
    ['a layer', [{ ...signed('late'), fetchLayer: late }, end()]],
    ['a manifest', [unusable('RegistryTimeout'), end()]],
    [
      'a manifest, as the end says too',
      [
        unusable('RegistryTimeout'),
        end({ complete: false, failures: [failure('RegistryTimeout', 'Late.')] }),
      ],
    ],
  ])('is waived by no policy: %s', async (_, events) => {
    const source = new ScriptedSource({ referrers: () => events });
    const verdict = await decideOn({ source, policies });
    expect(verdict.allowed).toBe(false);
    expect(outcomes(verdict)).toEqual(['inconclusive RegistryTimeout blocks']);
  });

  it('is no listing that fails: that is waived', async () => {
    const failures = [failure('RegistryTimeout', 'Late.')];
    const source = new ScriptedSource({ referrers: () => [end({ complete: false, failures })] });
    expect((await decideOn({ source, policies })).allowed).toBe(true);
  });
});

describe('the walk up', () => {
  const ofIndex = candidate('of the index', { evidence: [evidenceBy('acme', { subject: index })] });
  const scripted = (...events: ReferrerEvent[]): ScriptedSource =>
    new ScriptedSource({
      referrers: ({ digest }) => (digest === index ? [...events, end()] : [end()]),
      parents: () => [parent('index'), end()],
    });

  it('takes a signature of an index that holds the image, with the path that led to it', async () => {
    const source = scripted(ofIndex);
    const verdict = await decideOn({ source });
    expect(verdict.allowed).toBe(true);
    expect(verdict.images[0]?.digest).toBe(image);
    expect(verdict.images[0]?.checks[0]?.evidence).toMatchObject([
      { subject: index, path: [image, index, digestOf('of the index')] },
    ]);
    expect(source.listed).toMatchObject([
      { digest: image },
      { digest: index, wanted: { signatures: true, attestations: false } },
    ]);
  });

  it('T15 asks for no index where policy does not inherit', async () => {
    const source = scripted(ofIndex);
    const policies = policiesOf({
      name: 'signed',
      signature: { issuers: ['acme'], inheritFromIndex: false },
    });
    expect(outcomes(await decideOn({ source, policies }))).toEqual(['failed SignatureMissing blocks']);
    expect(source.walked).toEqual([]);
  });

  it('T16 inherits signatures only: an SBOM of the index is none of its child', async () => {
    const policies = policiesOf(signedBy('acme'), sbomBy('acme'));
    const ofParent = candidate('sbom of the index', { evidence: [attestation({ subject: index })] });
    expect(outcomes(await decideOn({ source: scripted(ofParent, ofIndex), policies }))).toEqual([
      'passed -',
      'failed SbomMissing blocks',
    ]);
    const naming = candidate('sbom of the child', { evidence: [attestation({ subject: image })] });
    expect(outcomes(await decideOn({ source: scripted(naming, ofIndex), policies }))).toEqual([
      'passed -',
      'passed -',
    ]);
  });

  it('T16 looks for no signature of an index for an SBOM alone, unless the index holds attestations', async () => {
    const source = scripted(candidate('sbom', { evidence: [attestation()] }));
    expect(outcomes(await decideOn({ source, policies: policiesOf(sbomBy('acme')) }))).toEqual([
      'failed SbomMissing blocks',
    ]);
    expect(source.listed.map(({ digest }) => digest)).toEqual([image]);
  });

  it('stops at the index that satisfies, also while something else stays open', async () => {
    const source = new ScriptedSource({
      referrers: ({ digest }) => (digest === index ? [ofIndex, unusable('SubjectMissing'), end()] : [end()]),
      parents: () => [parent('index'), parent('second'), parent('third'), end()],
    });
    const verdict = await decideOn({ source, policies: policiesOf(signedBy('acme'), sbomBy('acme')) });
    expect(outcomes(verdict)).toEqual(['passed -', 'failed SbomMissing blocks']);
    expect(source.listed.map(({ digest }) => digest)).toEqual([image, index]);
    // The end of the image's listing, one signature, three parents and their end: the SBOM may be in one of them.
    expect(source.handedOver).toBe(6);
  });

  it('goes through an index in an index, and says by which way', async () => {
    const outer = digestOf('outer');
    const ofOuter = candidate('of outer', { evidence: [evidenceBy('acme', { subject: outer })] });
    const source = new ScriptedSource({
      referrers: ({ digest }) => (digest === outer ? [ofOuter, end()] : [end()]),
      parents: ({ digest }) =>
        digest === image ? [parent('index'), end()] : digest === index ? [parent('outer'), end()] : [end()],
    });
    const verdict = await decideOn({ source });
    expect(verdict.allowed).toBe(true);
    expect(verdict.images[0]?.checks[0]?.evidence).toMatchObject([
      { subject: outer, indexes: [index, outer], path: [image, index, outer, ofOuter.digest] },
    ]);
  });

  it('T11 looks at so many indexes, and says when there are more', async () => {
    const towers = (count: number): ScriptedSource =>
      new ScriptedSource({
        parents: ({ digest }) =>
          digest === image
            ? [...Array.from({ length: count }, (_, i) => parent(`index ${i}`)), end()]
            : [end()],
      });
    const few = towers(64);
    expect(outcomes(await decideOn({ source: few }))).toEqual(['failed SignatureMissing blocks']);
    const many = towers(65);
    expect(outcomes(await decideOn({ source: many }))).toEqual(['inconclusive TooManyReferrers blocks']);
    expect(many.listed).toHaveLength(65);
  });

  it('T11 goes three indexes deep, and says when there are more', async () => {
    const tower = (height: number): ScriptedSource =>
      new ScriptedSource({
        parents: ({ digest }) => {
          const at = [image, ...Array.from({ length: height }, (_, i) => digestOf(`floor ${i}`))].indexOf(
            digest,
          );
          return at < height ? [parent(`floor ${at}`), end()] : [end()];
        },
      });
    expect(outcomes(await decideOn({ source: tower(3) }))).toEqual(['failed SignatureMissing blocks']);
    expect(outcomes(await decideOn({ source: tower(4) }))).toEqual(['inconclusive TooManyReferrers blocks']);
  });

  it('T11 ends where indexes contain each other', async () => {
    const source = new ScriptedSource({
      parents: ({ digest }) => [parent(digest === index ? 'other' : 'index'), parent('index'), end()],
    });
    expect(outcomes(await decideOn({ source }))).toEqual(['failed SignatureMissing blocks']);
    expect(source.walked).toEqual([image, index, digestOf('other')]);
  });

  it('T29 goes on after an index that cannot be read or holds nothing good', async () => {
    const source = new ScriptedSource({
      referrers: ({ digest }) =>
        digest === index
          ? [ofIndex, end()]
          : digest === image
            ? [end()]
            : [unusable('ManifestInvalid'), end()],
      parents: () => [unusable('ParentUnproven'), parent('empty'), parent('index'), end()],
    });
    expect((await decideOn({ source })).allowed).toBe(true);
  });

  it('T28 is inconclusive when the listing of an index broke off', async () => {
    const source = new ScriptedSource({
      referrers: ({ digest }) =>
        digest === index
          ? [end({ complete: false, failures: [failure('RegistryTimeout', 'Late.')] })]
          : [end()],
      parents: () => [parent('index'), end()],
    });
    expect(outcomes(await decideOn({ source }))).toEqual(['inconclusive RegistryTimeout blocks']);
  });
});

describe('an old listing', () => {
  const aged = (first: ReferrerEvent[], fresh: ReferrerEvent[], listingAgeMs: number): ScriptedSource =>
    new ScriptedSource({
      referrers: (_subject, _wanted, { maxListingAgeMs }) =>
        maxListingAgeMs === undefined
          ? [...first, end({ listingAgeMs })]
          : [...fresh, end({ listingAgeMs: 0 })],
    });

  it('T27 is asked for again before a deny, and admits what was signed meanwhile', async () => {
    const source = aged([], [signed()], maxListingAgeForDenyMs + 1);
    expect((await decideOn({ source })).allowed).toBe(true);
    expect(source.listed.map(({ maxListingAgeMs }) => maxListingAgeMs)).toEqual([undefined, 10_000]);
    expect(source.resolved).toHaveLength(1);
  });

  it('T27 denies when it is still missing, having asked once more', async () => {
    const source = aged([], [], maxListingAgeForDenyMs + 1);
    expect(outcomes(await decideOn({ source }))).toEqual(['failed SignatureMissing blocks']);
    expect(source.listed).toHaveLength(2);
  });

  it('T27 T34 judges on what the second answer holds alone', async () => {
    const policies = policiesOf(signedBy('acme'), sbomBy('acme'));
    const source = aged([signed()], [sbom], maxListingAgeForDenyMs + 1);
    expect(outcomes(await decideOn({ source, policies }))).toEqual([
      'failed SignatureMissing blocks',
      'passed -',
    ]);
  });

  it('is good enough when it satisfies, or is young', async () => {
    const satisfying = aged([signed()], [], 3_600_000);
    expect((await decideOn({ source: satisfying })).allowed).toBe(true);
    expect(satisfying.listed).toHaveLength(1);
    const young = aged([], [signed()], maxListingAgeForDenyMs);
    expect((await decideOn({ source: young })).allowed).toBe(false);
    expect(young.listed).toHaveLength(1);
  });

  it('T27 counts the age of what indexes were read from, too', async () => {
    const source = new ScriptedSource({
      parents: (_subject, { maxListingAgeMs }) => [
        end({ listingAgeMs: maxListingAgeMs === undefined ? 60_000 : 0 }),
      ],
    });
    expect((await decideOn({ source, policies: signedPolicy() })).allowed).toBe(false);
    expect(source.listed.map(({ maxListingAgeMs }) => maxListingAgeMs)).toEqual([undefined, 10_000]);
    expect(source.walked).toHaveLength(2);
  });
});
