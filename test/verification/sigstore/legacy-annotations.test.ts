import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseLegacyAnnotations } from '../../../src/verification/sigstore/legacy-annotations.ts';
import { createVerifier } from '../../../src/verification/verifier.ts';
import { authority, image, oidcIssuer, subject, keyless, refused } from '../../support/own-sigstore.ts';
import { failureOf } from '../../support/failure-of.ts';
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

describe('parseLegacyAnnotations', () => {
  const parse = (annotations: Record<string, string>) =>
    parseLegacyAnnotations({ mediaType: 'x', digest: image, size: 1, annotations });
  const body = Buffer.from(JSON.stringify({ kind: 'hashedrekord', apiVersion: '0.0.1' })).toString('base64');
  const payload = { body, integratedTime: 5, logIndex: 7, logID: 'c0ffee' };
  const bundle = (change: object, rest: object = {}): Record<string, string> => ({
    'dev.sigstore.cosign/bundle': JSON.stringify({
      SignedEntryTimestamp: 'AAAA',
      Payload: { ...payload, ...change },
      ...rest,
    }),
  });

  it('reads what is there, and nothing of what is empty or null', () => {
    expect(parse(bundle({})).logEntries).toMatchObject([
      { logIndex: '7', integratedTime: '5', kindVersion: { kind: 'hashedrekord', version: '0.0.1' } },
    ]);
    for (const empty of ['', 'null']) {
      const annotations = Object.fromEntries(
        ['certificate', 'bundle', 'rfc3161timestamp'].map((name) => [`dev.sigstore.cosign/${name}`, empty]),
      );
      expect(parse(annotations)).toStrictEqual({ logEntries: [], timestamps: [] });
    }
  });

  it.each<[string, Record<string, string>, string]>([
    ['a body that is no text', bundle({ body: 1 }), 'The log entry annotation is malformed.'],
    ['a log that is no text', bundle({ logID: 1 }), 'The log entry annotation is malformed.'],
    ['a time that is text', bundle({ integratedTime: '5' }), 'The log entry annotation is malformed.'],
    ['a time with a fraction', bundle({ integratedTime: 5.5 }), 'The log entry annotation is malformed.'],
    ['an index that is text', bundle({ logIndex: '7' }), 'The log entry annotation is malformed.'],
    ['an index that is not exact', bundle({ logIndex: 2 ** 53 }), 'The log entry annotation is malformed.'],
    ['no promise', bundle({}, { SignedEntryTimestamp: 1 }), 'The log entry annotation is malformed.'],
    ['no payload', bundle({}, { Payload: 'x' }), 'The log entry annotation is malformed.'],
    [
      'an entry of no kind',
      bundle({ body: Buffer.from('{"apiVersion":"0.0.1"}').toString('base64') }),
      'The log entry is malformed.',
    ],
    [
      'an entry of no version',
      bundle({ body: Buffer.from('{"kind":"hashedrekord"}').toString('base64') }),
      'The log entry is malformed.',
    ],
    [
      'an entry that is no object',
      bundle({ body: Buffer.from('[]').toString('base64') }),
      'The log entry is malformed.',
    ],
    [
      'a timestamp that is no text',
      { 'dev.sigstore.cosign/rfc3161timestamp': '{"SignedRFC3161Timestamp":1}' },
      'The timestamp annotation is malformed.',
    ],
  ])('refuses %s', (_what, annotations, message) => {
    expect(failureOf(() => parse(annotations))).toBe(`PayloadInvalid: ${message}`);
  });

  const pemText = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
  it('reads one certificate with nothing but white space around', () => {
    const read = (text: string) => parse({ 'dev.sigstore.cosign/certificate': text }).certificate;
    expect(read(pemText)).toEqual(Buffer.alloc(3));
    expect(read(`\n ${pemText}\n\n `)).toEqual(Buffer.alloc(3));
    for (const text of [`x${pemText}`, `${pemText}x`, pemText + pemText, pemText.replace('AAAA', '!')]) {
      expect(() => read(text)).toThrow('The certificate annotation is not one PEM certificate.');
    }
  });
});
