import { readdirSync, readFileSync } from 'node:fs';
import { computeDigest, parseDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import { parseDocument } from '../../src/oci/manifest.ts';
import type { Manifest } from '../../src/oci/manifest.ts';
import type { KeyIssuer, KeylessIssuer, TrustedRootMaterial } from '../../src/policy/resolved-issuer.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import type { VerificationRequest } from '../../src/verification/verification.ts';

const root = new URL('../fixtures/cosign/', import.meta.url);

export interface FixtureArtifact {
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly layers: ReadonlyMap<Digest, Uint8Array>;
}

/** What real cosign made (test/fixtures/README.md): the image and every manifest that holds signatures. */
export interface CosignFixture {
  readonly image: Digest;
  readonly imageBytes: Uint8Array;
  readonly artifacts: readonly FixtureArtifact[];
}

export function readCosignFixture(name: string): CosignFixture {
  const directory = new URL(`${name}/`, root);
  const { image } = JSON.parse(readFileSync(new URL('case.json', directory), 'utf8')) as { image: string };
  const blobs = new Map<Digest, Uint8Array>();
  for (const file of readdirSync(new URL('blobs/sha256/', directory))) {
    blobs.set(parseDigest(`sha256:${file}`), readFileSync(new URL(`blobs/sha256/${file}`, directory)));
  }
  const imageBytes = blobs.get(parseDigest(image));
  if (imageBytes === undefined) throw new Error(`fixture ${name} has no image`);
  const artifacts = [...blobs].flatMap(([digest, bytes]) => {
    const manifest = readManifest(bytes);
    if (manifest === undefined || createVerifier().needs(manifest).layers.length === 0) return [];
    return [{ digest, manifest, layers: blobs }];
  });
  return { image: parseDigest(image), imageBytes, artifacts };
}

function readManifest(bytes: Uint8Array): Manifest | undefined {
  try {
    const document = parseDocument(bytes, undefined, 'blob');
    return document.kind === 'manifest' ? document : undefined;
  } catch {
    return undefined;
  }
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
