import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../src/failures/failure.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { image } from '../policy/sample-evidence.ts';
import { clusterPolicy, compile, keyIssuer } from '../policy/sample-resources.ts';
import type { Fields } from '../policy/sample-resources.ts';
import {
  candidate,
  decideOn,
  end,
  evidenceBy,
  imageText,
  outcomes,
  pod,
  ScriptedSource,
  signed,
  unusable,
} from './sample-decision.ts';

const signedByAcme = { signature: { issuers: ['acme'] } };
const scanned = { attestation: { predicateType: 'https://acme.example/scan', issuers: ['scanner'] } };
const scan = candidate('scan', {
  evidence: [
    evidenceBy('scanner', {
      kind: 'attestation',
      format: 'DsseEnvelope',
      predicateType: 'https://acme.example/scan',
    }),
  ],
});

const either = (...anyOf: Fields[]): PolicySnapshot =>
  compile([
    keyIssuer('acme'),
    keyIssuer('scanner'),
    clusterPolicy('p', { require: [{ name: 'either', anyOf }] }),
  ]);

const decided = async (
  policies: PolicySnapshot,
  referrers: () => readonly (typeof scan | ReturnType<typeof end> | ReturnType<typeof unusable>)[],
  text = imageText,
): Promise<{ outcomes: string[]; message: string; source: ScriptedSource }> => {
  const source = new ScriptedSource({ referrers });
  const verdict = await decideOn({ source, policies }, pod([text]));
  return { outcomes: outcomes(verdict), message: verdict.images[0]?.checks[0]?.message ?? '', source };
};

describe('anyOf', () => {
  it.each([
    ['the first', [signed(), end()]],
    ['the second', [scan, end()]],
    ['both', [scan, signed(), end()]],
  ])('passes by %s of its alternatives, across kinds', async (_, events) => {
    expect((await decided(either(signedByAcme, scanned), () => events)).outcomes).toEqual(['passed -']);
  });

  it('stops looking as soon as one of them is satisfied', async () => {
    const { source } = await decided(either(signedByAcme, scanned), () => [scan, signed(), end()]);
    expect(source.handedOver).toBe(1);
  });

  it('passes a pinned image without asking a registry', async () => {
    const policies = either(signedByAcme, { pinned: true });
    const pinned = await decided(policies, () => [end()], `ghcr.io/acme/app@${image}`);
    expect(pinned.outcomes).toEqual(['passed -']);
    expect(pinned.source.listed).toEqual([]);
  });

  it('an image by tag is not pinned by being resolved', async () => {
    const policies = either(signedByAcme, { pinned: true });
    const { outcomes: found, message } = await decided(policies, () => [end()]);
    expect(found).toEqual(['failed SignatureMissing blocks']);
    expect(message).toContain('NotPinned');
  });

  it('names what each lacks when none is met, under the code of the nearest', async () => {
    const { outcomes: found, message } = await decided(either(signedByAcme, scanned), () => [
      signed('signature', 'scanner'),
      end(),
    ]);
    expect(found).toEqual(['failed SignerNotTrusted blocks']);
    expect(message).toMatch(/^none of 2 ways is met: SignerNotTrusted: asks for a signature by acme/);
    expect(message).toContain(
      '; or AttestationMissing: asks for an attestation https://acme.example/scan by scanner',
    );
  });

  it('T28 is inconclusive, not failed, where one of them is open, and never passes so', async () => {
    const { outcomes: found } = await decided(either(signedByAcme, { pinned: true }), () => [
      unusable('RegistryTimeout'),
      end(),
    ]);
    expect(found).toEqual(['inconclusive RegistryTimeout blocks']);
  });

  it('T22 passes by what is ready beside what is not, and by nothing else', async () => {
    const missing = { signature: { issuers: ['nobody'] } };
    expect((await decided(either(missing, scanned), () => [scan, end()])).outcomes).toEqual(['passed -']);
    const { outcomes: found, message } = await decided(either(missing, scanned), () => [signed(), end()]);
    expect(found).toEqual(['failed PolicyNotReady blocks']);
    expect(message).toContain('There is no TrustedIssuer nobody.');
  });

  it('T28 an image that cannot be resolved leaves it open', async () => {
    const source = new ScriptedSource({
      resolve: () => Promise.reject(new RefwardenError('RegistryUnavailable', 'It is down.')),
    });
    const verdict = await decideOn({ source, policies: either(signedByAcme, { pinned: true }) });
    expect(outcomes(verdict)).toEqual(['inconclusive RegistryUnavailable blocks']);
  });
});
