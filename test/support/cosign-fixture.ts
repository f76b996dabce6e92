import { readFileSync } from 'node:fs';
import { computeDigest, parseDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import type { KeyIssuer, KeylessIssuer, TrustedRootMaterial } from '../../src/policy/resolved-issuer.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import type { VerificationRequest } from '../../src/verification/verification.ts';
import { readBlobs, readManifests } from './layout-fixture.ts';
import type { FixtureArtifact } from './layout-fixture.ts';

const root = new URL('../fixtures/cosign/', import.meta.url);

/** What real cosign made (test/fixtures/README.md): the image and every manifest that holds signatures. */
export interface CosignFixture {
  readonly image: Digest;
  readonly imageBytes: Uint8Array;
  readonly artifacts: readonly FixtureArtifact[];
  /** Manifests of what carries no signature of its own. */
  readonly files: readonly FixtureArtifact[];
}

export function readCosignFixture(name: string): CosignFixture {
  const directory = new URL(`${name}/`, root);
  const { image } = JSON.parse(readFileSync(new URL('case.json', directory), 'utf8')) as { image: string };
  const blobs = readBlobs(directory);
  const imageBytes = blobs.get(parseDigest(image));
  if (imageBytes === undefined) throw new Error(`fixture ${name} has no image`);
  const needs = ({ manifest }: FixtureArtifact) => createVerifier().needs(manifest);
  const manifests = readManifests(blobs);
  return {
    image: parseDigest(image),
    imageBytes,
    artifacts: manifests.filter((artifact) => needs(artifact).layers.length > 0),
    files: manifests.filter(
      (artifact) => needs(artifact).vouched.length + needs(artifact).skipped.length > 0,
    ),
  };
}

/** The only artifact of a fixture that has one. */
export function onlyArtifact({ artifacts }: CosignFixture): FixtureArtifact {
  const [artifact, ...more] = artifacts;
  if (artifact === undefined || more.length > 0)
    throw new Error(`expected one artifact, found ${artifacts.length}`);
  return artifact;
}

/** The artifact with the bytes of its first signature layer replaced; the layer's digest follows. */
export function withLayer(
  artifact: FixtureArtifact,
  edit: (bytes: Uint8Array) => Uint8Array,
): FixtureArtifact {
  const [layer, ...rest] = artifact.manifest.layers;
  const bytes = layer && artifact.layers.get(layer.digest);
  if (layer === undefined || bytes === undefined) throw new Error('the artifact has no layer');
  const edited = edit(bytes);
  const digest = computeDigest(edited);
  return {
    ...artifact,
    manifest: { ...artifact.manifest, layers: [{ ...layer, digest, size: edited.length }, ...rest] },
    layers: new Map([...artifact.layers, [digest, edited]]),
  };
}

/** The artifact with annotations of its first signature layer replaced. */
export function withAnnotations(
  artifact: FixtureArtifact,
  annotations: Record<string, string>,
): FixtureArtifact {
  const [layer, ...rest] = artifact.manifest.layers;
  if (layer === undefined) throw new Error('the artifact has no layer');
  const edited = { ...layer, annotations: { ...layer.annotations, ...annotations } };
  return { ...artifact, manifest: { ...artifact.manifest, layers: [edited, ...rest] } };
}

export const readTrust = (file: string): string => readFileSync(new URL(`trust/${file}`, root), 'utf8');

export const fixtureTrustedRoot = (): TrustedRootMaterial => ({
  json: readTrust('trusted-root.json'),
  fingerprint: 'fixture root',
});

export function fixtureKeyIssuer(key: string, name = key): KeyIssuer {
  return {
    kind: 'key',
    name,
    fingerprint: `issuer ${name}`,
    pem: readTrust(`${key}.pub`),
    transparencyLog: 'NotRequired',
  };
}

/** The person, or the GitHub workflow, whose certificates the fixtures carry; they have a signed timestamp and no more. */
export function fixtureKeylessIssuer(
  who: 'person' | 'github' = 'person',
  change: Partial<KeylessIssuer> = {},
): KeylessIssuer {
  const identity = JSON.parse(readTrust('identity.json')) as Record<'issuer' | 'subject', string> & {
    github: Record<'issuer' | 'subject', string>;
  };
  const { issuer, subject } = who === 'github' ? identity.github : identity;
  return {
    kind: 'keyless',
    name: who,
    fingerprint: `issuer ${who}`,
    identities: [{ issuer, subject: { exact: subject }, extensions: [] }],
    trustedRoot: fixtureTrustedRoot(),
    sct: 'NotRequired',
    transparencyLog: 'NotRequired',
    signedTimestamp: 'Required',
    ...change,
  };
}

export function requestFor(
  fixture: Pick<CosignFixture, 'image' | 'imageBytes'>,
  artifact: FixtureArtifact,
  issuers: VerificationRequest['issuers'],
): VerificationRequest {
  return {
    artifact,
    layers: artifact.layers,
    subjects: [fixture.image],
    subjectDocument: fixture.imageBytes,
    issuers,
    nowMs: Date.UTC(2030, 0, 1),
  };
}

/** A request for the only artifact of a fixture, changed as a test needs it. */
export function requestOf(
  name: string,
  issuers: VerificationRequest['issuers'],
  edit = (artifact: FixtureArtifact) => artifact,
): VerificationRequest {
  const fixture = readCosignFixture(name);
  return requestFor(fixture, edit(onlyArtifact(fixture)), issuers);
}
