import { describe, expect, it } from 'vitest';
import { readClaimedSignatures, signatureLayers } from '../../src/verification/claimed-signatures.ts';
import type { ClaimedSignature } from '../../src/verification/claimed-signatures.ts';
import { onlyArtifact, readCosignFixture, withAnnotations, withLayer } from '../support/cosign-fixture.ts';
import type { FixtureArtifact } from '../support/layout-fixture.ts';
import { makeChain } from '../support/notation-certificates.ts';
import { envelopeOf, formats, imageDigest, notationRequest, target } from '../support/notation-requests.ts';
import type { Format } from '../support/notation-requests.ts';

function claimsOf(name: string, edit = (artifact: FixtureArtifact) => artifact): readonly ClaimedSignature[] {
  const fixture = readCosignFixture(name);
  const { manifest, layers } = edit(onlyArtifact(fixture));
  const found = signatureLayers(manifest);
  const [layer] = found?.layers ?? [];
  const bytes = layer && layers.get(layer.digest);
  if (found === undefined || layer === undefined || bytes === undefined) throw new Error('no signature');
  return readClaimedSignatures(found.format, bytes, layer, {
    digest: fixture.image,
    ...(found.needsDocument ? { document: fixture.imageBytes } : {}),
  });
}

/** The artifact with its first layer, which is JSON, edited as a value. */
const editJson =
  (edit: (json: Record<string, unknown>) => unknown) =>
  (artifact: FixtureArtifact): FixtureArtifact =>
    withLayer(artifact, (bytes) =>
      Buffer.from(JSON.stringify(edit(JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>))),
    );

describe('what signatures say of themselves', () => {
  it.each([
    ['key-legacy', { kind: 'signature' }],
    [
      'keyless-legacy',
      { kind: 'signature', signer: { kind: 'certificate', subject: 'release@acme.example' } },
    ],
    ['keyless-bundle', { kind: 'signature', signer: { kind: 'certificate' } }],
    ['key-bundle-message', { kind: 'signature', signer: { kind: 'key' } }],
    ['attest-spdx-legacy', { kind: 'attestation', predicateType: 'https://spdx.dev/Document' }],
  ])('%s: %o', (name, claim) => {
    expect(claimsOf(name)).toMatchObject([claim]);
    expect(claimsOf(name)[0]?.flaw).toBeUndefined();
  });

  it('T31 a hint of a key is shown printable and cut', () => {
    const hostile = `\u001b[2J\u202e${'x'.repeat(1000)}`;
    const [claim] = claimsOf(
      'attest-spdx-legacy',
      editJson((envelope) => ({
        ...envelope,
        signatures: (envelope['signatures'] as object[]).map((entry) => ({ ...entry, keyid: hostile })),
      })),
    );
    expect(claim?.signer).toEqual({ kind: 'key', hint: `\ufffd[2J\ufffd${'x'.repeat(251)}...` });
  });

  it('T15 a payload about another image is said to be that', () => {
    expect(claimsOf('transplanted-legacy')).toMatchObject([
      {
        flaw: {
          code: 'SubjectMismatch',
          message: expect.stringMatching(/^The payload names sha256:/) as string,
        },
      },
    ]);
  });

  it('what does not parse is a flaw', () => {
    expect(
      claimsOf(
        'key-bundle',
        editJson(() => ({ mediaType: 'x' })),
      ),
    ).toMatchObject([{ flaw: { code: 'PayloadInvalid' } }]);
    const noCertificate = { 'dev.sigstore.cosign/certificate': 'no certificate' };
    expect(claimsOf('keyless-legacy', (artifact) => withAnnotations(artifact, noCertificate))).toMatchObject([
      { flaw: { code: 'PayloadInvalid', message: 'The certificate annotation is not one PEM certificate.' } },
    ]);
  });

  describe('in Notation', () => {
    const claimsOfNotation = async (
      format: Format,
      options: Parameters<typeof envelopeOf>[2] = {},
    ): Promise<readonly ClaimedSignature[]> => {
      const envelope = envelopeOf(format, await makeChain(), options);
      const { manifest } = notationRequest(format, envelope, []).artifact;
      const found = signatureLayers(manifest);
      const [layer] = found?.layers ?? [];
      if (found === undefined || layer === undefined) throw new Error('no signature');
      expect(found).toMatchObject({ format: 'NotationSignature', needsDocument: false });
      return readClaimedSignatures(found.format, envelope, layer, { digest: imageDigest });
    };

    it.each(Object.keys(formats) as Format[])('%s names its certificate and the root', async (format) => {
      expect(await claimsOfNotation(format)).toEqual([
        {
          kind: 'signature',
          signer: {
            kind: 'certificate',
            subject: 'C=US, ST=WA, O=Acme, CN=Release',
            issuer: 'C=US, O=Acme, CN=Root',
          },
        },
      ]);
    });

    it('T15 a payload about another image is said to be that, and what is no envelope is a flaw', async () => {
      const digest = `sha256:${'1'.repeat(64)}`;
      expect(await claimsOfNotation('JWS', { target: { ...target, digest } })).toMatchObject([
        { flaw: { code: 'SubjectMismatch', message: `The payload names ${digest}.` } },
      ]);
      expect(await claimsOfNotation('JWS', { payload: Buffer.from('{}') })).toMatchObject([
        { signer: { kind: 'certificate' }, flaw: { code: 'PayloadInvalid' } },
      ]);
      const layer = { mediaType: 'application/cose', digest: imageDigest, size: 1, annotations: {} };
      expect(
        readClaimedSignatures('NotationSignature', Buffer.from('x'), layer, { digest: imageDigest }),
      ).toEqual([{ flaw: { code: 'PayloadInvalid', message: 'The signature envelope is no strict CBOR.' } }]);
    });
  });

  it('what holds no signature has none', () => {
    const { manifest } = onlyArtifact(readCosignFixture('key-legacy'));
    expect(signatureLayers({ ...manifest, layers: [] })).toBeUndefined();
  });
});
