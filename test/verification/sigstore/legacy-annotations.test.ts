import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createVerifier } from '../../../src/verification/verifier.ts';
import { authority, image, oidcIssuer, subject, keyless, refused } from '../../support/own-sigstore.ts';
import { layerRequest } from '../../support/signed-layer.ts';
import { pem } from '../../support/sigstore-authority.ts';

const verifier = createVerifier();

describe('a legacy keyless signature with a log entry', () => {
  it('counts by its annotations, and not with the entry of another payload', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificate = pem(await authority.issue(publicKey, { subject, issuer: oidcIssuer }));
    const payload = Buffer.from(
      JSON.stringify({
        critical: {
          identity: {},
          image: { 'docker-manifest-digest': image },
          type: 'cosign container image signature',
        },
      }),
    );
    const signature = sign('sha256', payload, privateKey).toString('base64');
    const annotationsFor = async (logged: Buffer) => {
      const entry = await authority.log({
        apiVersion: '0.0.1',
        kind: 'hashedrekord',
        spec: {
          data: { hash: { algorithm: 'sha256', value: createHash('sha256').update(logged).digest('hex') } },
          signature: {
            content: signature,
            publicKey: { content: Buffer.from(certificate).toString('base64') },
          },
        },
      });
      const { keyId } = entry['logId'] as { keyId: string };
      return {
        'dev.cosignproject.cosign/signature': signature,
        'dev.sigstore.cosign/certificate': certificate,
        'dev.sigstore.cosign/chain': '',
        'dev.sigstore.cosign/bundle': JSON.stringify({
          SignedEntryTimestamp: (entry['inclusionPromise'] as { signedEntryTimestamp: string })
            .signedEntryTimestamp,
          Payload: {
            body: entry.canonicalizedBody,
            integratedTime: Number(entry['integratedTime']),
            logIndex: Number(entry['logIndex']),
            logID: Buffer.from(keyId, 'base64').toString('hex'),
          },
        }),
      };
    };
    const outcome = (annotations: Record<string, string>) =>
      verifier.verify(
        layerRequest(
          payload,
          'application/vnd.dev.cosign.simplesigning.v1+json',
          image,
          [keyless()],
          annotations,
        ),
      );
    const good = await annotationsFor(payload);
    expect((await outcome(good)).evidence).toMatchObject([
      { kind: 'signature', format: 'CosignSimpleSigning', signer: { subject } },
    ]);
    refused(await outcome(await annotationsFor(Buffer.from('other'))), 'TransparencyLogMissing');
    refused(
      await outcome({ ...good, 'dev.sigstore.cosign/bundle': '' }),
      'TransparencyLogMissing',
      'The signature has no entry of a transparency log.',
    );
    refused(
      await outcome({ ...good, 'dev.sigstore.cosign/bundle': '{}' }),
      'PayloadInvalid',
      'The log entry annotation is malformed.',
    );
    refused(
      await outcome({ ...good, 'dev.sigstore.cosign/certificate': 'x' }),
      'PayloadInvalid',
      'The certificate annotation is not one PEM certificate.',
    );
  });
});
