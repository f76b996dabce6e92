import { computeDigest } from '../../src/image/digest.ts';
import { sign } from 'node:crypto';
import { dsse } from '@sigstore/core';
import { describe, expect, it } from 'vitest';
import { parseDigest } from '../../src/image/digest.ts';
import { parsePublicKey } from '../../src/verification/keys.ts';
import type { VerificationRequest } from '../../src/verification/verification.ts';
import { maxSignaturesPerArtifact } from '../../src/verification/select-layers.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import {
  fixtureKeyIssuer,
  fixtureKeylessIssuer,
  onlyArtifact,
  readCosignFixture,
  requestOf,
  withLayer,
} from '../support/cosign-fixture.ts';
import type { FixtureArtifact } from '../support/layout-fixture.ts';
import { createKeyIssuer, layerRequest } from '../support/signed-layer.ts';

const verifier = createVerifier();
const release = fixtureKeyIssuer('release');
const person = fixtureKeylessIssuer('person');

const cosignSign = 'https://sigstore.dev/cosign/sign/v1';
describe('whose signature it is', () => {
  it('says who signed and whom policy wants', async () => {
    const [identity] = person.identities;
    const other = {
      ...person,
      name: 'acme-release',
      identities: identity ? [{ ...identity, subject: { exact: 'else@acme.example' } }] : [],
    };
    const { rejections } = await verifier.verify(requestOf('keyless-bundle', [other]));
    expect(rejections).toEqual([
      {
        code: 'SignerNotTrusted',
        signer: `release@acme.example (${identity?.issuer ?? ''})`,
        message: `Signed by release@acme.example (${identity?.issuer ?? ''}). Policy trusts acme-release: else@acme.example (${identity?.issuer ?? ''}).`,
      },
    ]);
  });

  it('names an unlisted key by what the bundle claims', async () => {
    const { rejections } = await verifier.verify(requestOf('stranger-bundle', [release]));
    expect(rejections).toEqual([
      {
        code: 'SignerNotTrusted',
        signer: expect.stringMatching(/^claimed key sha256:[0-9a-f]{12}$/) as string,
        message: 'No listed key verifies the signature. Policy trusts release (a key).',
      },
    ]);
    expect((await verifier.verify(requestOf('stranger-legacy', [release]))).rejections).toEqual([
      {
        code: 'SignerNotTrusted',
        message: 'No listed key verifies the signature. Policy trusts release (a key).',
      },
    ]);
  });

  it.each(['transplanted-bundle', 'transplanted-bundle-reattached', 'transplanted-legacy'])(
    'T15 %s names both digests',
    async (name) => {
      const request = requestOf(name, [release]);
      const { evidence, rejections } = await verifier.verify(request);
      expect(evidence).toEqual([]);
      expect(rejections).toMatchObject([{ code: 'SubjectMismatch' }]);
      expect(rejections[0]?.message).toMatch(
        new RegExp(
          `^Signed by key sha256:[0-9a-f]{12} for sha256:904e51[0-9a-f]{58}, not for ${request.subjects[0] ?? ''}\\.$`,
        ),
      );
    },
  );

  it('takes any of the wanted subjects, and says which', async () => {
    const request = requestOf('key-bundle', [release]);
    const index = parseDigest(`sha256:${'1'.repeat(64)}`);
    const { evidence } = await verifier.verify({ ...request, subjects: [index, ...request.subjects] });
    expect(evidence).toMatchObject([{ subject: request.subjects[0] }]);
  });

  it('T36 T19 gives one key under two names one fingerprint', async () => {
    const twin = fixtureKeyIssuer('release', 'release-again');
    const { evidence } = await verifier.verify(requestOf('key-bundle', [release, twin]));
    expect(evidence.map(({ issuer }) => issuer)).toEqual(['release', 'release-again']);
    expect(evidence[0]?.signer).toEqual(evidence[1]?.signer);
  });

  it('T19 gives two signatures by one key the same signer', async () => {
    const doubled = (artifact: FixtureArtifact): FixtureArtifact => ({
      ...artifact,
      manifest: { ...artifact.manifest, layers: [...artifact.manifest.layers, ...artifact.manifest.layers] },
    });
    const { evidence } = await verifier.verify(requestOf('key-legacy', [release], doubled));
    expect(evidence).toHaveLength(2);
    expect(evidence[0]).toEqual(evidence[1]);
  });

  it('T29 lets no bad signature spoil a good one', async () => {
    const { evidence } = await verifier.verify(
      requestOf('key-legacy-two', [release, fixtureKeyIssuer('second')]),
    );
    expect(evidence.map(({ issuer }) => issuer)).toEqual(['release', 'second']);
    const junk = (artifact: FixtureArtifact): FixtureArtifact => {
      const [layer] = artifact.manifest.layers;
      if (layer === undefined) throw new Error('no layer');
      const bad = ['', 'AAAA', '!', 'null'].map((text) => ({
        ...layer,
        annotations: { 'dev.cosignproject.cosign/signature': text },
      }));
      return {
        ...artifact,
        manifest: { ...artifact.manifest, layers: [...bad, ...artifact.manifest.layers] },
      };
    };
    const mixed = await verifier.verify(requestOf('key-legacy', [release], junk));
    expect(mixed.evidence).toHaveLength(1);
    expect(mixed.rejections).toHaveLength(4);
  });

  it('T21 takes nothing without issuers', async () => {
    const outcome = await verifier.verify(requestOf('key-bundle', []));
    expect(outcome).toEqual({
      evidence: [],
      rejections: [{ code: 'SignerNotTrusted', message: 'No issuer is trusted here.' }],
    });
  });

  it('T22 names a broken issuer and goes on with the others', async () => {
    const broken = { ...release, name: 'broken', pem: 'x' };
    expect((await verifier.verify(requestOf('key-bundle', [broken, release]))).evidence).toHaveLength(1);
    expect((await verifier.verify(requestOf('key-bundle', [broken]))).rejections).toMatchObject([
      { code: 'IssuerInvalid', message: 'The PEM is not a single block "-----BEGIN PUBLIC KEY-----".' },
    ]);
  });
});

describe('what is asked for', () => {
  const needsOf = (name: string) => verifier.needs(onlyArtifact(readCosignFixture(name)).manifest);

  it('asks for the subject only when its bytes may be what is signed', () => {
    expect(needsOf('key-bundle')).toMatchObject({
      layers: [{ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }],
      vouched: [],
      subjectDocument: false,
    });
    expect(needsOf('key-bundle-message').subjectDocument).toBe(true);
    expect(needsOf('key-legacy').subjectDocument).toBe(false);
  });

  it('says so when the subject was not given, or is another', async () => {
    const { artifact, layers, subjects, issuers, nowMs } = requestOf('key-bundle-message', [release]);
    const request: VerificationRequest = { artifact, layers, subjects, issuers, nowMs };
    const message = 'A message signature takes the bytes of the subject, which were not given.';
    expect((await verifier.verify(request)).rejections).toEqual([{ code: 'FormatUnsupported', message }]);
    expect((await verifier.verify({ ...request, subjectDocument: Buffer.from('{}') })).rejections).toEqual([
      { code: 'FormatUnsupported', message },
    ]);
  });

  it('says so when a layer was not given', async () => {
    const { evidence, rejections } = await verifier.verify({
      ...requestOf('key-bundle', [release]),
      layers: new Map(),
    });
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([{ code: 'ArtifactMissing' }]);
  });

  it('knows an artifact of no form', async () => {
    const other = (artifact: FixtureArtifact): FixtureArtifact => ({
      ...artifact,
      manifest: {
        ...artifact.manifest,
        artifactType: 'text/plain',
        layers: artifact.manifest.layers.map((layer) => ({ ...layer, mediaType: 'text/plain' })),
      },
    });
    const request = requestOf('key-bundle', [release], other);
    expect(verifier.needs(request.artifact.manifest)).toEqual({
      layers: [],
      vouched: [],
      subjectDocument: false,
      skipped: [],
    });
    expect(await verifier.verify(request)).toEqual({
      evidence: [],
      rejections: [
        { code: 'FormatUnsupported', message: 'The artifact holds no signature of a form that is verified.' },
      ],
    });
  });

  it('T11 looks at a bounded number of signatures and says that there are more', async () => {
    const many = (artifact: FixtureArtifact): FixtureArtifact => ({
      ...artifact,
      manifest: {
        ...artifact.manifest,
        layers: Array.from({ length: 1000 }, () => artifact.manifest.layers).flat(),
      },
    });
    const request = requestOf('stranger-legacy', [release], many);
    const { layers, skipped } = verifier.needs(request.artifact.manifest);
    expect(layers).toHaveLength(maxSignaturesPerArtifact);
    expect(skipped).toEqual([
      {
        code: 'ArtifactTooLarge',
        message: 'The artifact holds 1000 signatures and statements; 64 were looked at.',
      },
    ]);
    const { rejections } = await verifier.verify(request);
    expect(rejections).toHaveLength(maxSignaturesPerArtifact);
    expect(new Set(rejections.map(({ code }) => code))).toEqual(new Set(['SignerNotTrusted']));
  });

  it('T11 asks for no layer beyond the size that is read', async () => {
    const large = (artifact: FixtureArtifact): FixtureArtifact => ({
      ...artifact,
      manifest: {
        ...artifact.manifest,
        layers: artifact.manifest.layers.map((layer) => ({ ...layer, size: 2 ** 20 })),
      },
    });
    const request = requestOf('key-legacy', [release], large);
    const digest = request.artifact.manifest.layers[0]?.digest ?? '';
    expect(verifier.needs(request.artifact.manifest)).toEqual({
      layers: [],
      vouched: [],
      subjectDocument: false,
      skipped: [
        {
          code: 'ArtifactTooLarge',
          message: `Layer ${digest} takes 1048576 bytes, more than is read.`,
        },
      ],
    });
    // Not "nothing of a known form": what was left out may have been the good one.
    expect(await verifier.verify(request)).toEqual({ evidence: [], rejections: [] });
  });

  it('T11 looks once at a bundle that is listed many times', () => {
    const many = (artifact: FixtureArtifact): FixtureArtifact => ({
      ...artifact,
      manifest: {
        ...artifact.manifest,
        layers: Array.from({ length: 50 }, () => artifact.manifest.layers).flat(),
      },
    });
    const { artifact } = requestOf('key-bundle', [release], many);
    expect(verifier.needs(artifact.manifest).layers).toHaveLength(1);
  });

  it('T11 leaves out what is beyond the bytes of one artifact, and what is left out takes nothing from the rest', () => {
    const bundle = (size: number, name: number) => (artifact: FixtureArtifact) => {
      const [layer] = artifact.manifest.layers;
      return layer === undefined
        ? []
        : [{ ...layer, size, digest: computeDigest(Buffer.from(String(name))) }];
    };
    const sized = (...sizes: number[]) => {
      const request = requestOf('key-bundle', [release], (artifact) => ({
        ...artifact,
        manifest: { ...artifact.manifest, layers: sizes.flatMap((size, i) => bundle(size, i)(artifact)) },
      }));
      const { layers, skipped } = verifier.needs(request.artifact.manifest);
      return [layers.map(({ size }) => size), skipped.map(({ code }) => code)];
    };
    const most = 32 * 2 ** 20;
    expect(sized(most, most, 1)).toEqual([[most, most], ['ArtifactTooLarge']]);
    expect(sized(2 ** 40, most, most)).toEqual([[most, most], ['ArtifactTooLarge']]);
  });

  it('T16 takes no hint for the content: annotations about predicate and form change nothing', async () => {
    const hinted = (artifact: FixtureArtifact): FixtureArtifact => ({
      ...artifact,
      manifest: {
        ...artifact.manifest,
        annotations: {
          'dev.sigstore.bundle.content': 'dsse-envelope',
          'dev.sigstore.bundle.predicateType': cosignSign,
        },
      },
    });
    const { evidence } = await verifier.verify(requestOf('attest-spdx-bundle', [release], hinted));
    expect(evidence).toMatchObject([{ kind: 'attestation', predicateType: 'https://spdx.dev/Document' }]);
  });
});

describe('T11 many signatures', () => {
  /** A bundle for each key that might have made it: every issuer is asked about every signature. */
  const junkRequest = (count: number): VerificationRequest => {
    const issuers = Array.from({ length: 10 }, (_, index) => createKeyIssuer(`issuer ${index}`).issuer);
    const request = requestOf('stranger-legacy', issuers);
    const [layer] = request.artifact.manifest.layers;
    if (layer === undefined) throw new Error('no layer');
    const { digest, manifest } = request.artifact;
    const layers = Array.from({ length: count }, () => layer);
    return { ...request, artifact: { digest, manifest: { ...manifest, layers } } };
  };

  it('leave others their turn between one and the next', async () => {
    let turns = 0;
    let done = false;
    const others = (): void => {
      turns++;
      if (!done) setImmediate(others);
    };
    setImmediate(others);
    const { rejections } = await verifier.verify(junkRequest(maxSignaturesPerArtifact));
    done = true;
    expect(rejections).toHaveLength(maxSignaturesPerArtifact);
    expect(turns).toBeGreaterThanOrEqual(maxSignaturesPerArtifact);
  });

  it('in few layers are bounded alike, and it is said that there are more', async () => {
    const { issuer, privateKey } = createKeyIssuer('acme');
    const payload = Buffer.from(JSON.stringify({ _type: 'https://in-toto.io/Statement/v1' }));
    const payloadType = 'application/vnd.in-toto+json';
    const sig = sign('sha256', dsse.preAuthEncoding(payloadType, payload), privateKey).toString('base64');
    const envelope = Buffer.from(
      JSON.stringify({
        payloadType,
        payload: payload.toString('base64'),
        signatures: Array.from({ length: 16 }, () => ({ sig, keyid: '' })),
      }),
    );
    const subject = parseDigest(`sha256:${'1'.repeat(64)}`);
    const request = layerRequest(envelope, 'application/vnd.dsse.envelope.v1+json', subject, [issuer]);
    const { digest, manifest } = request.artifact;
    const layers = Array.from({ length: 5 }, () => manifest.layers).flat();
    const { rejections } = await verifier.verify({
      ...request,
      artifact: { digest, manifest: { ...manifest, layers } },
    });
    expect(rejections).toHaveLength(maxSignaturesPerArtifact + 1);
    expect(rejections[0]).toMatchObject({
      code: 'PayloadInvalid',
      message: 'The statement has no predicateType.',
    });
    expect(rejections.at(-1)).toEqual({
      code: 'ArtifactTooLarge',
      message: 'The artifact holds more than 64 signatures; the rest was not looked at.',
    });
  });

  it('T36 of a listed key count for each issuer that lists it, hint or not', async () => {
    const twin = fixtureKeyIssuer('release', 'release-again');
    const other = fixtureKeyIssuer('second');
    for (const name of ['key-bundle', 'key-legacy']) {
      const { evidence } = await verifier.verify(requestOf(name, [other, twin, release]));
      expect(evidence.map(({ issuer }) => issuer)).toEqual(['release-again', 'release']);
    }
  });

  it('T29 that name the wrong listed key still count for the one that made them', async () => {
    const hinted = (artifact: FixtureArtifact): FixtureArtifact =>
      withLayer(artifact, (bytes) => {
        const bundle = JSON.parse(Buffer.from(bytes).toString()) as {
          verificationMaterial: { publicKey: { hint: string } };
        };
        const { fingerprint } = parsePublicKey(fixtureKeyIssuer('second').pem);
        bundle.verificationMaterial.publicKey.hint = Buffer.from(fingerprint.slice(7), 'hex').toString(
          'base64',
        );
        return Buffer.from(JSON.stringify(bundle));
      });
    const both = [fixtureKeyIssuer('second'), release];
    const { evidence } = await verifier.verify(requestOf('key-bundle', both, hinted));
    expect(evidence.map(({ issuer }) => issuer)).toEqual(['release']);
  });
});
