import { describe, expect, it } from 'vitest';
import { parseTrustedRoot } from '../../../src/verification/sigstore/trusted-root.ts';
import { purposeOid } from '../../../src/verification/x509/extensions.ts';
import { createTrustSource } from '../../../src/trust/trust-source.ts';
import { fixtureTrustedRoot } from '../../support/cosign-fixture.ts';
import { createSigstoreAuthority } from '../../support/sigstore-authority.ts';
import { basicConstraints, certify, keyUsage, purpose } from '../../support/test-pki.ts';

interface RootJson {
  mediaType: string;
  tlogs: { publicKey: { validFor?: { start?: string } } }[];
  certificateAuthorities: { validFor?: { start?: string } }[];
  timestampAuthorities: { validFor?: object; certChain: { certificates: unknown[] } }[];
}
const authority = await createSigstoreAuthority();
const edited = (edit: (root: RootJson) => void): string => {
  const root = JSON.parse(authority.trustedRoot.json) as RootJson;
  edit(root);
  return JSON.stringify(root);
};
const refused = (message: string) =>
  expect.objectContaining({ code: 'TrustMaterialInvalid', message }) as Error;

describe('parseTrustedRoot', () => {
  it('reads the root of the public-good instance', () => {
    const material = createTrustSource({}).material({ kind: 'builtIn', name: 'PublicGood' });
    if (typeof material !== 'string') throw new Error(material.message);
    const root = parseTrustedRoot(material, 'built in');
    expect(root.certificateAuthorities.length).toBeGreaterThan(0);
    expect(root.tlogs.length).toBeGreaterThan(0);
    expect(root.ctlogs.length).toBeGreaterThan(0);
    expect(root.timestampAuthorities.length).toBeGreaterThan(0);
  });

  it('reads what "cosign trusted-root create" wrote', () => {
    const root = parseTrustedRoot(fixtureTrustedRoot().json, 'fixture');
    expect(root.certificateAuthorities).toHaveLength(1);
    expect(root.timestampAuthorities).toHaveLength(1);
    expect(root.tlogs).toHaveLength(0);
  });

  it('leaves out a timestamp authority whose first certificate is not for timestamps', () => {
    const json = edited(({ timestampAuthorities: [tsa] }) => tsa?.certChain.certificates.reverse());
    expect(parseTrustedRoot(json, 'root').timestampAuthorities).toHaveLength(0);
  });

  it('leaves out a timestamp authority whose first certificate may do something else too', () => {
    const purposes = (isCritical: boolean, ...more: string[]): Uint8Array =>
      purpose(isCritical, purposeOid.timeStamping, ...more);
    const count = (...extensions: Uint8Array[]): number => {
      const rawBytes = Buffer.from(certify('TSA', { extensions }).der).toString('base64');
      const json = edited(({ timestampAuthorities: [tsa] }) => {
        tsa?.certChain.certificates.splice(0, 1, { rawBytes });
      });
      return parseTrustedRoot(json, 'root').timestampAuthorities.length;
    };
    const signs = keyUsage('digitalSignature');
    expect(count(signs, purposes(true))).toBe(1);
    expect(count(signs, purposes(true, '1.3.6.1.5.5.7.3.3'))).toBe(0);
    expect(count(signs, purposes(false))).toBe(0);
    expect(count(purposes(true))).toBe(0);
    expect(count(signs, purposes(true), basicConstraints())).toBe(0);
  });

  it.each([
    ['another document', '{"kind":"List"}', 'root: is not a Sigstore trusted root by its mediaType.'],
    ['text', 'nonsense', 'root is not valid JSON.'],
    ['a repeated key', '{"tlogs":[],"tlogs":[]}', 'root has the key "tlogs" twice in one object.'],
    [
      'a log of unknown age',
      edited(({ tlogs: [log] }) => delete log?.publicKey.validFor?.start),
      'root: has a log whose key has no validFor.start.',
    ],
    [
      'a certificate authority of unknown age',
      edited(({ certificateAuthorities: [ca] }) => delete ca?.validFor?.start),
      'root: has an authority that has no validFor.start.',
    ],
    [
      'a timestamp authority of unknown age',
      edited(({ timestampAuthorities: [tsa] }) => delete tsa?.validFor),
      'root: has an authority that has no validFor.start.',
    ],
    [
      'a log without a key',
      edited(({ tlogs: [log] }) => log && Object.assign(log, { publicKey: {} })),
      'root: does not parse as a Sigstore trusted root.',
    ],
    [
      'an authority without certificates',
      edited(({ timestampAuthorities: [tsa] }) => tsa?.certChain.certificates.splice(0)),
      'root: has an authority without certificates.',
    ],
    ['an endless text', ' '.repeat(2 ** 20 + 1), 'root: longer than 1048576 characters.'],
  ])('refuses %s', (_what, json, message) => {
    expect(() => parseTrustedRoot(json, 'root')).toThrow(refused(message));
  });
});
