import { describe, expect, it } from 'vitest';
import { parseDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import { ociIndex, ociManifest } from '../../src/oci/media-types.ts';
import { documentOf } from '../demo/registry/documents.ts';
import { answerOf, repository, startFixtureDecisions } from '../support/fixture-decisions.ts';
import type { FixtureDecisions } from '../support/fixture-decisions.ts';
import { fixturePolicy } from '../support/fixture-policies.ts';

/** Signed by `release` in the fixture key-legacy, and not signed. */
const good = parseDigest('sha256:2a41a64c951486bf53e2d51c861e3cdac96cd9d0f3dd695cbb404a21057de0ad');
const evil = parseDigest('sha256:1967c281ae63fe269723bb402ce9611b018ca1ac2cd8508b212767f837cf8a2d');

const linux = (architecture: string): object => ({ os: 'linux', architecture });
const entry = (digest: Digest, platform?: object, fields: object = {}): object => ({
  mediaType: ociManifest,
  digest,
  size: 528,
  ...(platform === undefined ? {} : { platform }),
  ...fields,
});
const unknown = { os: 'unknown', architecture: 'unknown' };

/** The answer for an unsigned index of these entries, by its tag. */
async function answerFor(
  platforms: readonly string[] | undefined,
  entries: readonly object[],
  change: (started: FixtureDecisions) => void = () => undefined,
): Promise<{ answer: string; message: string | undefined }> {
  const requirement = {
    signature: { issuers: ['release'], ...(platforms === undefined ? {} : { platforms }) },
  };
  const started = await startFixtureDecisions({
    fixtures: ['key-legacy', 'index-signed-legacy'],
    policies: fixturePolicy({
      ...requirement,
      signature: { ...requirement.signature, inheritFromIndex: false },
    }),
  });
  const index = documentOf(ociIndex, { schemaVersion: 2, mediaType: ociIndex, manifests: entries });
  started.registry.store.putManifest(repository, index.bytes, ociIndex, 'index');
  change(started);
  const verdict = await started.decide(':index');
  expect(verdict.allowed).toBe(verdict.outcome === 'admitted');
  return { answer: answerOf(verdict), message: verdict.images[0]?.checks[0]?.message };
}

describe('an index that is not signed', () => {
  it('is denied without platforms, whatever its children are', async () => {
    expect((await answerFor(undefined, [entry(good, linux('amd64'))])).answer).toBe(
      'denied SignatureMissing',
    );
  });

  it.each([
    ['All', [entry(good, linux('amd64'))]],
    ['All', [entry(good, linux('amd64')), entry(good, linux('arm64')), entry(evil, unknown)]],
    ['linux/amd64', [entry(good, linux('amd64')), entry(evil, linux('arm64'))]],
    ['linux/amd64', [entry(good)]],
  ])('is admitted for %s by children that are signed: %#', async (platform, entries) => {
    expect((await answerFor([platform], entries)).answer).toBe('admitted');
  });

  it.each([
    ['All', [entry(good, linux('amd64')), entry(evil, linux('arm64'))]],
    ['All', [entry(good, linux('amd64')), entry(evil)]],
    ['linux/amd64', [entry(good, linux('amd64')), entry(evil, linux('amd64'))]],
    ['linux/amd64', [entry(good, linux('amd64')), entry(evil)]],
    ['linux/amd64', [entry(good, linux('amd64')), entry(evil, linux('arm64')), entry(evil, linux('amd64'))]],
    ['linux/amd64', [entry(good, linux('amd64')), entry(evil, { os: 'linux', architecture: 'x86_64' })]],
    ['linux/amd64', [entry(evil, { architecture: 'amd64' }), entry(good, linux('amd64'))]],
    ['linux/amd64', [entry(evil, { os: '', architecture: 'amd64' }), entry(good, linux('amd64'))]],
    ['linux/amd64', [entry(evil, linux('386')), entry(good, linux('amd64'))]],
    ['linux/arm/v7', [entry(evil, linux('armhf')), entry(good, { ...linux('arm'), variant: 'v7' })]],
    ['linux/arm64', [entry(evil, { ...linux('arm'), variant: 'v7' }), entry(good, linux('arm64'))]],
    ['linux/amd64/v1', [entry(evil, { ...linux('x86_64'), variant: 'v3' }), entry(good, linux('amd64'))]],
    // A runtime chooses by platform, and does not care what else an entry calls itself.
    [
      'All',
      [
        entry(good, linux('amd64')),
        entry(evil, linux('arm64'), { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }),
      ],
    ],
    ['All', [entry(good, linux('amd64')), entry(evil, linux('arm64'), { artifactType: 'a/b' })]],
  ])('T13 is denied for %s by a child that might run and is not signed: %#', async (platform, entries) => {
    const { answer, message } = await answerFor([platform], entries);
    expect(answer).toBe('denied SignatureMissing');
    expect(message).toMatch(/^child sha256:1967c281 \(.+\): /);
  });

  it.each([
    ['linux/arm64', [entry(good, linux('amd64'))], 'the index holds nothing for linux/arm64'],
    [
      'linux/amd64',
      [entry(good, { ...linux('amd64'), variant: 'v9' })],
      'the index holds nothing for linux/amd64',
    ],
    ['linux/amd64', [entry(good, linux('386'))], 'the index holds nothing for linux/amd64'],
    ['All', [], 'the index holds nothing that runs'],
    ['All', [entry(good, unknown)], 'the index holds nothing that runs'],
  ])('T14 is denied for %s where it holds no such child: %#', async (platform, entries, message) => {
    expect(await answerFor([platform], entries)).toEqual({ answer: 'denied PlatformMissing', message });
  });

  it('T11 is not judged by more children than images have platforms', async () => {
    const many = Array.from({ length: 65 }, (_, i) =>
      entry(parseDigest(`sha256:${i.toString(16).padStart(64, '0')}`), linux('amd64')),
    );
    expect((await answerFor(['All'], many)).answer).toBe('inconclusive TooManyReferrers');
  });

  it('T28 is open where a child cannot be asked about', async () => {
    const { answer } = await answerFor(['All'], [entry(good, linux('amd64'))], ({ registry }) => {
      registry.intercept((request, response) => {
        if (request.url?.includes(good.replace(':', '-')) !== true) return false;
        response.writeHead(503).end();
        return true;
      });
    });
    expect(answer).toBe('inconclusive RegistryUnavailable');
  });
});

describe('T28 cross-checks of an index that is judged by its children', () => {
  const checked = async (expression: string, where: string): Promise<string> => {
    const started = await startFixtureDecisions({
      fixtures: ['key-legacy', 'index-signed-legacy'],
      policies: fixturePolicy(
        { signature: { issuers: ['release'], platforms: ['All'], inheritFromIndex: false } },
        { crossChecks: [{ expression, message: 'signed by another' }] },
      ),
    });
    const index = documentOf(ociIndex, {
      schemaVersion: 2,
      mediaType: ociIndex,
      manifests: [entry(good, linux('amd64'))],
    });
    started.registry.store.putManifest(repository, index.bytes, ociIndex, 'index');
    return answerOf(await started.decide(where));
  };

  it.each([
    ["signatures.all(s, s.issuer == 'second')", 'denied AssertionFailed'],
    ["!signatures.exists(s, s.issuer == 'release')", 'denied AssertionFailed'],
    ["signatures.size() > 0 && signatures.all(s, s.issuer == 'second')", 'denied AssertionFailed'],
    ["signatures.all(s, s.issuer == 'release')", 'admitted'],
    ["signatures.exists(s, s.issuer == 'release')", 'admitted'],
  ])('%s: the index is answered as its child: %s', async (expression, answer) => {
    expect(await checked(expression, `@${good}`)).toBe(answer);
    expect(await checked(expression, ':index')).toBe(answer);
  });
});
