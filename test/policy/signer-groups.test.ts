import { describe, expect, it } from 'vitest';
import type { Signer } from '../../src/policy/evidence.ts';
import { signerGroups } from '../../src/policy/signer-groups.ts';

const notation = (subject: string, key: string): Signer => ({
  kind: 'notation',
  subject,
  certificateFingerprint: `sha256:${subject}${key}`,
  keyFingerprint: `sha256:${key}`,
});
const keyless = (subject: string, key: string): Signer => ({
  kind: 'keyless',
  issuer: 'https://idp.example',
  subject,
  certificateFingerprint: `sha256:${subject}${key}`,
  keyFingerprint: `sha256:${key}`,
});
const key = (fingerprint: string): Signer => ({ kind: 'key', keyFingerprint: `sha256:${fingerprint}` });
const countOf = (...signers: Signer[]): number => new Set(signers.map(signerGroups(signers))).size;

describe('T36 who counts as one signer', () => {
  it('one key under two certificates', () => {
    expect(countOf(notation('CN=a', '1'), notation('CN=b', '1'))).toBe(1);
  });
  it('one subject whose certificate was issued anew', () => {
    expect(countOf(notation('CN=a', '1'), notation('CN=a', '2'))).toBe(1);
  });
  it('one key, with a certificate and without', () => {
    expect(countOf(notation('CN=a', '1'), key('1'))).toBe(1);
  });
  it('one key, certified for an identity and listed by itself', () => {
    expect(countOf(keyless('a@example.com', '1'), key('1'))).toBe(1);
    expect(countOf(keyless('a@example.com', '1'), keyless('b@example.com', '1'))).toBe(1);
  });
  it('one identity with a key for each signature', () => {
    expect(countOf(keyless('a@example.com', '1'), keyless('a@example.com', '2'))).toBe(1);
    expect(countOf(keyless('a@example.com', '1'), keyless('b@example.com', '2'))).toBe(2);
  });
  it('two that a third joins, in any order', () => {
    const [a, b, joint] = [notation('CN=a', '1'), notation('CN=b', '2'), notation('CN=a', '2')];
    for (const signers of [
      [a, b, joint],
      [joint, a, b],
      [b, joint, a],
    ]) {
      expect(countOf(...signers)).toBe(1);
    }
  });
  it('two subjects with keys of their own are two', () => {
    expect(countOf(notation('CN=a', '1'), notation('CN=b', '2'), key('3'))).toBe(3);
  });
});
