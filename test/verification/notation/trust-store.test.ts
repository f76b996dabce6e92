import { beforeAll, describe, expect, it } from 'vitest';
import { toFailure } from '../../../src/failures/failure.ts';
import { checkIssuerMaterial } from '../../../src/verification/issuer-material.ts';
import { parseTrustStore } from '../../../src/verification/notation/trust-store.ts';
import { makeChain } from '../../support/notation-certificates.ts';
import type { TestChain } from '../../support/notation-certificates.ts';
import { notationIssuer } from '../../support/notation-requests.ts';

let chain: TestChain;
beforeAll(async () => {
  chain = await makeChain();
});
const store = (certificates: string) =>
  ({ type: 'ca', name: 'ConfigMap vendor, key ca.crt', certificates }) as const;

describe('a trust store', () => {
  it('takes authorities and self-signed certificates, with text around them', async () => {
    const self = (await makeChain({ root: { extensions: [] } })).root;
    const text = `# vendor\n${chain.root.pem}\r\n\nother\n${chain.intermediate.pem}${self.pem}\n`;
    expect(parseTrustStore(store(text)).map(({ subjectText }) => subjectText)).toEqual([
      'C=US, O=Acme, CN=Root',
      'C=US, O=Acme, CN=Intermediate',
      'C=US, O=Acme, CN=Root',
    ]);
  });

  it.each<[string, () => string, string]>([
    ['empty', () => '', 'holds no certificate in PEM.'],
    ['text', () => 'certificate', 'holds no certificate in PEM.'],
    [
      'the certificate of a signer that an authority issued',
      () => chain.leaf.pem,
      'has a certificate 1, C=US, ST=WA, O=Acme, CN=Release, that is neither of an authority nor self-signed.',
    ],
    [
      'a block that is cut',
      () => `${chain.root.pem}\n${chain.root.pem.slice(0, 100)}`,
      'holds a damaged PEM block.',
    ],
    [
      'a block that is no certificate',
      () => `${chain.root.pem}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`,
      'has a certificate 2 that does not parse.',
    ],
    [
      'a public key',
      () => '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
      'holds something else than certificates.',
    ],
    [
      'T31 a private key',
      () => `${chain.root.pem}\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----`,
      'holds a private key: take it for leaked.',
    ],
    ['T11 two megabytes', () => 'x'.repeat(2 << 20), 'is longer than 1048576 characters.'],
    ['T11 many certificates', () => chain.root.pem.repeat(201), 'holds more than 200 certificates.'],
  ])('is refused: %s', (_, make, what) => {
    try {
      parseTrustStore(store(make()));
    } catch (thrown) {
      expect(toFailure(thrown)).toMatchObject({
        code: 'TrustMaterialInvalid',
        message: `The ca trust store (ConfigMap vendor, key ca.crt) ${what}`,
      });
      return;
    }
    throw new Error('it was taken');
  });
});

describe('an issuer of Notation', () => {
  it('is checked when it is compiled', () => {
    expect(checkIssuerMaterial(notationIssuer(chain.root))).toBeUndefined();
    expect(checkIssuerMaterial(notationIssuer({ pem: '' }))).toEqual({
      code: 'TrustMaterialInvalid',
      message: 'Issuer vendor: The ca trust store (inline) holds no certificate in PEM.',
    });
    expect(
      checkIssuerMaterial(notationIssuer(chain.root, { trustedIdentities: ['x509.subject: C=US'] })),
    ).toEqual({
      code: 'IssuerInvalid',
      message: 'Issuer vendor: trustedIdentities: "x509.subject: C=US" lacks ST, O.',
    });
    const tsa = [{ type: 'tsa', name: 'inline', certificates: chain.root.pem }] as const;
    expect(checkIssuerMaterial(notationIssuer(chain.root, { trustStores: tsa }))).toEqual({
      code: 'IssuerInvalid',
      message: 'Issuer vendor has no trust store of the type ca or signingAuthority.',
    });
  });
});
