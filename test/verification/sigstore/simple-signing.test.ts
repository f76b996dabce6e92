import { sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseDigest } from '../../../src/image/digest.ts';
import { createVerifier } from '../../../src/verification/verifier.ts';
import { createKeyIssuer, layerRequest } from '../../support/signed-layer.ts';

const verifier = createVerifier();
const { privateKey, issuer } = createKeyIssuer('release');
const image = parseDigest(`sha256:${'a1'.repeat(32)}`);
const critical = {
  identity: {},
  image: { 'docker-manifest-digest': image },
  type: 'cosign container image signature',
};

/** Signed by the trusted key, whatever it says. */
function verifySigned(payload: unknown, subject = image) {
  const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const annotations = {
    'dev.cosignproject.cosign/signature': sign('sha256', bytes, privateKey).toString('base64'),
  };
  return verifier.verify(
    layerRequest(bytes, 'application/vnd.dev.cosign.simplesigning.v1+json', subject, [issuer], annotations),
  );
}

describe('a simple signing payload by a trusted key', () => {
  it('counts for the digest that it names, SHA-512 too', async () => {
    expect((await verifySigned({ critical, optional: null })).evidence).toMatchObject([{ subject: image }]);
    const long = parseDigest(`sha512:${'b2'.repeat(64)}`);
    const payload = { critical: { ...critical, image: { 'docker-manifest-digest': long } } };
    expect((await verifySigned(payload, long)).evidence).toMatchObject([{ subject: long }]);
  });

  it('T15 counts for no other image', async () => {
    const other = parseDigest(`sha256:${'c3'.repeat(32)}`);
    const { evidence, rejections } = await verifySigned({ critical }, other);
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([{ code: 'SubjectMismatch' }]);
    expect(rejections[0]?.message).toMatch(
      /^Signed by key sha256:[0-9a-f]{12} for sha256:a1(a1)+, not for sha256:c3(c3)+\.$/,
    );
  });

  it.each([
    [
      'another type',
      { critical: { ...critical, type: 'atomic container signature' } },
      'The signed payload is not of type "cosign container image signature".',
    ],
    [
      'no type',
      { critical: { ...critical, type: undefined } },
      'The signed payload is not of type "cosign container image signature".',
    ],
    ['no digest', { critical: { ...critical, image: {} } }, 'The signed payload names no image digest.'],
    ['no image', { critical: { ...critical, image: null } }, 'The signed payload names no image digest.'],
    ['a list', [critical], 'The signed payload has no critical section.'],
    ['T26 keys in another case', { Critical: critical }, 'The signed payload has no critical section.'],
    [
      'T26 a repeated key',
      `{"critical":{},"critical":${JSON.stringify(critical)}}`,
      'The signed payload has the key "critical" twice in one object.',
    ],
    [
      'T26 __proto__',
      `{"__proto__":{"critical":${JSON.stringify(critical)}}}`,
      'The signed payload has a key "__proto__".',
    ],
    [
      'T16 an in-toto statement',
      {
        _type: 'https://in-toto.io/Statement/v1',
        predicateType: 'https://sigstore.dev/cosign/sign/v1',
        subject: [],
      },
      'The signed payload has no critical section.',
    ],
  ])('is refused with %s', async (_what, payload, message) => {
    const { evidence, rejections } = await verifySigned(payload);
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([{ code: 'PayloadInvalid', message }]);
  });
});

describe('its annotations', () => {
  it.each([
    [{}, 'The layer has no signature annotation.'],
    [{ 'dev.cosignproject.cosign/signature': '' }, 'The layer has no signature annotation.'],
    [
      { 'dev.cosignproject.cosign/signature': 'A'.repeat(40_000) },
      'The signature is empty or larger than 16384 bytes.',
    ],
    [
      { 'dev.cosignproject.cosign/signature': 'AAAA', 'dev.sigstore.cosign/bundle': '[]' },
      'The log entry annotation is malformed.',
    ],
    [
      { 'dev.cosignproject.cosign/signature': 'AAAA', 'dev.sigstore.cosign/rfc3161timestamp': '{}' },
      'The timestamp annotation is malformed.',
    ],
  ])('%j are refused', async (annotations, message) => {
    const payload = Buffer.from(JSON.stringify({ critical }));
    const request = layerRequest(
      payload,
      'application/vnd.dev.cosign.simplesigning.v1+json',
      image,
      [issuer],
      annotations,
    );
    expect(await verifier.verify(request)).toMatchObject({
      evidence: [],
      rejections: [{ code: 'PayloadInvalid', message }],
    });
  });
});
