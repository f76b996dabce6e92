import { sign } from 'node:crypto';
import { dsse } from '@sigstore/core';
import { describe, expect, it } from 'vitest';
import { parseDigest } from '../../../src/image/digest.ts';
import { createVerifier } from '../../../src/verification/verifier.ts';
import { createKeyIssuer, layerRequest } from '../../support/signed-layer.ts';

const verifier = createVerifier();
const first = createKeyIssuer('first');
const second = createKeyIssuer('second');
const image = parseDigest(`sha256:${'a1'.repeat(32)}`);
const inToto = 'application/vnd.in-toto+json';
const statement = {
  _type: 'https://in-toto.io/Statement/v0.1',
  subject: [{ name: 'app', digest: { sha256: 'a1'.repeat(32) } }],
  predicateType: 'https://example.com/tested/v1',
  predicate: {},
};
const payload = Buffer.from(JSON.stringify(statement));
const signatureBy = ({ privateKey }: typeof first, payloadType = inToto) => ({
  keyid: '',
  sig: sign('sha256', dsse.preAuthEncoding(payloadType, payload), privateKey).toString('base64'),
});
const envelope = (change: object = {}) => ({
  payloadType: inToto,
  payload: payload.toString('base64'),
  signatures: [signatureBy(first)],
  ...change,
});
const verify = (value: unknown, annotations = {}) =>
  verifier.verify(
    layerRequest(
      Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
      'application/vnd.dsse.envelope.v1+json',
      image,
      [first.issuer, second.issuer],
      annotations,
    ),
  );

describe('a DSSE envelope in a layer', () => {
  it('T16 has the predicate type of its statement, whatever the annotation says', async () => {
    const { evidence } = await verify(envelope(), { predicateType: 'https://spdx.dev/Document' });
    expect(evidence).toMatchObject([
      {
        kind: 'attestation',
        format: 'DsseEnvelope',
        predicateType: 'https://example.com/tested/v1',
        issuer: 'first',
        subject: image,
      },
    ]);
  });

  it('T29 takes each signature by itself', async () => {
    const signatures = [{ sig: 'AAAA' }, signatureBy(first), signatureBy(second)];
    const { evidence, rejections } = await verify(envelope({ signatures }));
    expect(evidence.map(({ issuer }) => issuer)).toEqual(['first', 'second']);
    expect(rejections).toMatchObject([{ code: 'SignerNotTrusted' }]);
  });

  it('T16 takes no signature over another payload type', async () => {
    expect(await verify(envelope({ payloadType: 'text/plain' }))).toMatchObject({
      evidence: [],
      rejections: [{ code: 'SignerNotTrusted' }],
    });
    const signatures = [signatureBy(first, 'text/plain')];
    expect(await verify(envelope({ payloadType: 'text/plain', signatures }))).toMatchObject({
      evidence: [],
      rejections: [
        {
          code: 'PayloadInvalid',
          message: "The envelope's payload type is not application/vnd.in-toto+json.",
        },
      ],
    });
  });

  it.each([
    ['a list', [], 'The envelope is not an object.'],
    [
      'no payload',
      { ...envelope(), payload: null },
      'The envelope lacks payloadType, payload or signatures.',
    ],
    ['no signature', envelope({ signatures: [] }), 'The envelope has no signature, or more than 16.'],
    [
      'T11 too many signatures',
      envelope({ signatures: Array(17).fill(signatureBy(first)) }),
      'The envelope has no signature, or more than 16.',
    ],
    [
      'a signature that is no text',
      envelope({ signatures: [{ sig: 1 }] }),
      'A signature of the envelope is no text.',
    ],
    [
      'T26 a repeated key',
      '{"payload":"","payload":""}',
      'The envelope has the key "payload" twice in one object.',
    ],
  ])('is refused with %s', async (_what, value, message) => {
    expect(await verify(value)).toMatchObject({
      evidence: [],
      rejections: [{ code: 'PayloadInvalid', message }],
    });
  });
});
