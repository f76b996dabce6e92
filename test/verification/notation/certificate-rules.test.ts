import 'reflect-metadata';
import { createPublicKey } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import { toFailure } from '../../../src/failures/failure.ts';
import {
  authorityProblem,
  hashProblem,
  keyProblem,
  leafProblem,
  orderProblem,
} from '../../../src/verification/notation/certificate-rules.ts';
import type { CertificateChain } from '../../../src/verification/notation/certificate-rules.ts';
import { parseNotationCertificate } from '../../../src/verification/notation/notation-certificate.ts';
import { algorithmOfKey } from '../../../src/verification/notation/signature-algorithms.ts';
import {
  authorityExtensions,
  issue,
  leafExtensions,
  makeChain,
  usages,
} from '../../support/notation-certificates.ts';
import type { CertificateOptions, Issued } from '../../support/notation-certificates.ts';

const chainOf = (...certificates: readonly (Issued | Uint8Array)[]): CertificateChain => {
  const [leaf, ...others] = certificates.map((each) =>
    parseNotationCertificate(each instanceof Uint8Array ? each : each.der),
  );
  if (leaf === undefined) throw new Error('no certificate');
  return [leaf, ...others];
};

/** The first rule that a chain breaks. */
const problemOf = (chain: CertificateChain): string | undefined =>
  [keyProblem, hashProblem, orderProblem, authorityProblem, leafProblem]
    .map((rule) => rule(chain))
    .find((problem) => problem !== undefined);

const constraints = (ca: boolean, critical: boolean, pathLength?: number): x509.Extension =>
  new x509.BasicConstraintsExtension(ca, pathLength, critical);
const usage = (bits: x509.KeyUsageFlags, critical = true): x509.Extension =>
  new x509.KeyUsagesExtension(bits, critical);
const purposes = (...oids: string[]): x509.Extension => new x509.ExtendedKeyUsageExtension(oids);

describe('the order of a chain', () => {
  it('is from the leaf to its root, complete, with nothing else', async () => {
    const { leaf, intermediate, root } = await makeChain();
    const other = await issue({ subject: 'CN=other', extensions: authorityExtensions() });
    const self = await issue({});
    expect(problemOf(chainOf(leaf, intermediate, root))).toBeUndefined();
    expect(problemOf(chainOf(self))).toBeUndefined();
    const issued = 'is not issued by the next certificate';
    for (const [chain, message] of [
      [[leaf, root, intermediate], issued],
      [[intermediate, leaf, root], issued],
      [[leaf, root], issued],
      [[leaf, other], issued],
      [
        [leaf, intermediate],
        'The chain does not end in a self-signed certificate: C=US, O=Acme, CN=Intermediate',
      ],
      [[leaf], 'The chain does not end in a self-signed certificate: C=US, ST=WA, O=Acme, CN=Release'],
      [[leaf, intermediate, root, root], 'The chain goes on behind C=US, O=Acme, CN=Root'],
      [[leaf, intermediate, root, other], 'The chain goes on behind C=US, O=Acme, CN=Root'],
      [[self, self], 'The chain goes on behind C=US, ST=WA, O=Acme, CN=Release'],
      [[leaf, intermediate, intermediate, root], issued],
    ] as const) {
      expect(problemOf(chainOf(...chain))).toContain(message);
    }
  });

  it('is by the key, not by the name alone', async () => {
    const { leaf, root } = await makeChain();
    const impostor = await issue(
      { subject: 'C=US, O=Acme, CN=Intermediate', owner: 'mallory', extensions: authorityExtensions() },
      root,
    );
    expect(problemOf(chainOf(leaf, impostor, root))).toContain('is not issued by the next certificate');
  });

  it('has no SHA-1 anywhere', async () => {
    for (const place of ['leaf', 'intermediate', 'root'] as const) {
      const { certificates } = await makeChain({ [place]: { hash: 'SHA-1' } });
      expect(problemOf(chainOf(...certificates))).toMatch(
        /is signed by an algorithm that is not taken: use SHA-256, SHA-384 or SHA-512\.$/,
      );
    }
  });
});

describe('an authority of a chain', () => {
  it.each<[string, CertificateOptions, string | undefined]>([
    ['as it should be', {}, undefined],
    ['with room below', { extensions: authorityExtensions(5) }, undefined],
    ['without extensions', { extensions: [] }, 'is no authority'],
    ['without basicConstraints', { extensions: [usage(usages.keyCertSign)] }, 'is no authority'],
    [
      'that is marked as none',
      { extensions: [constraints(false, true), usage(usages.keyCertSign)] },
      'is no authority: it needs critical basicConstraints with cA.',
    ],
    [
      'whose basicConstraints are not critical',
      { extensions: [constraints(true, false), usage(usages.keyCertSign)] },
      'is no authority',
    ],
    [
      'without keyUsage',
      { extensions: [constraints(true, true)] },
      'may not issue: it needs critical keyUsage with keyCertSign.',
    ],
    [
      'whose keyUsage is not critical',
      { extensions: [constraints(true, true), usage(usages.keyCertSign, false)] },
      'may not issue',
    ],
    [
      'that signs lists alone',
      { extensions: [constraints(true, true), usage(usages.cRLSign)] },
      'may not issue',
    ],
  ])('%s', async (_, intermediate, message) => {
    const { certificates } = await makeChain({ intermediate });
    const problem = problemOf(chainOf(...certificates));
    if (message === undefined) expect(problem).toBeUndefined();
    else expect(problem).toContain(message);
  });

  it('bounds how many authorities are below it', async () => {
    const { certificates } = await makeChain({ root: { extensions: authorityExtensions(0) } });
    expect(problemOf(chainOf(...certificates))).toBe(
      'C=US, O=Acme, CN=Root allows 0 authorities below it, and there are 1.',
    );
    const wide = await makeChain({ root: { extensions: authorityExtensions(1) } });
    expect(problemOf(chainOf(...wide.certificates))).toBeUndefined();
  });
});

describe('the certificate of a signer', () => {
  const codeSigning = '1.3.6.1.5.5.7.3.3';
  const name = 'The signing certificate C=US, ST=WA, O=Acme, CN=Release';
  it.each<[string, readonly x509.Extension[], string | undefined]>([
    ['for code signing', leafExtensions(usages.digitalSignature, codeSigning), undefined],
    ['with contentCommitment', leafExtensions(usages.digitalSignature | usages.nonRepudiation), undefined],
    [
      'with a purpose of its own',
      leafExtensions(usages.digitalSignature, '1.3.6.1.4.1.311.10.3.13'),
      undefined,
    ],
    ['marked as no authority', [constraints(false, true), usage(usages.digitalSignature)], undefined],
    [
      'marked as an authority',
      [constraints(true, true), usage(usages.digitalSignature)],
      `${name} is one of an authority.`,
    ],
    ['without keyUsage', [], `${name} needs critical keyUsage with digitalSignature.`],
    ['whose keyUsage is not critical', [usage(usages.digitalSignature, false)], 'needs critical keyUsage'],
    [
      'for contentCommitment alone',
      [usage(usages.nonRepudiation)],
      'needs critical keyUsage with digitalSignature',
    ],
    ...(
      [
        'keyEncipherment',
        'dataEncipherment',
        'keyAgreement',
        'keyCertSign',
        'cRLSign',
        'encipherOnly',
        'decipherOnly',
      ] as const
    ).map(
      (bit) =>
        [
          `with ${bit}`,
          [usage(usages.digitalSignature | usages[bit])],
          `${name} has the key usage ${bit}.`,
        ] as [string, x509.Extension[], string],
    ),
    ...(
      [
        ['anyExtendedKeyUsage', '2.5.29.37.0'],
        ['serverAuth', '1.3.6.1.5.5.7.3.1'],
        ['clientAuth', '1.3.6.1.5.5.7.3.2'],
        ['emailProtection', '1.3.6.1.5.5.7.3.4'],
        ['timeStamping', '1.3.6.1.5.5.7.3.8'],
        ['OCSPSigning', '1.3.6.1.5.5.7.3.9'],
      ] as const
    ).map(
      ([purpose, oid]) =>
        [
          `for ${purpose}`,
          [usage(usages.digitalSignature), purposes(codeSigning, oid)],
          `${name} is for ${purpose}.`,
        ] as [string, x509.Extension[], string],
    ),
  ])('%s', async (_, extensions, message) => {
    for (const certificates of [
      (await makeChain({ leaf: { extensions } })).certificates,
      [(await issue({ extensions })).der],
    ]) {
      const problem = problemOf(chainOf(...certificates));
      if (message === undefined) expect(problem).toBeUndefined();
      else expect(problem).toContain(message);
    }
  });
});

describe('a certificate', () => {
  const refusal = (der: Uint8Array): unknown => {
    try {
      return parseNotationCertificate(der);
    } catch (thrown) {
      return toFailure(thrown);
    }
  };

  it('is refused when it is none, is cut or has something after it', async () => {
    const { der } = await issue({});
    const unreadable = { code: 'CertificateInvalid', message: /does not parse/ };
    for (const bytes of [Buffer.alloc(0), Buffer.from('x'), der.subarray(0, -1), Buffer.concat([der, der])]) {
      expect(refusal(bytes)).toMatchObject({
        code: unreadable.code,
        message: expect.stringMatching(unreadable.message) as string,
      });
    }
  });

  it('T11 is refused when it is larger than any', () => {
    expect(refusal(Buffer.alloc(40_000))).toMatchObject({
      code: 'CertificateInvalid',
      message: 'A certificate of the signature is larger than 32768 bytes.',
    });
  });

  it('is refused with an extension twice, or one that does not parse', async () => {
    const twice = await issue({ extensions: [usage(usages.digitalSignature), usage(usages.keyCertSign)] });
    const broken = await issue({ extensions: [new x509.Extension('2.5.29.15', true, Buffer.from([1, 2]))] });
    for (const { der } of [twice, broken]) {
      expect(refusal(der)).toMatchObject({ code: 'CertificateInvalid' });
    }
  });
});

describe('T36 an RSA key whose signatures anybody can make', () => {
  it.each([1, 2])('signs with no algorithm: exponent %d', (exponent) => {
    const key = createPublicKey({
      format: 'jwk',
      key: {
        kty: 'RSA',
        n: Buffer.alloc(256, 0xff).toString('base64url'),
        e: Buffer.of(exponent).toString('base64url'),
      },
    });
    expect(algorithmOfKey(key)).toBeUndefined();
  });
});
