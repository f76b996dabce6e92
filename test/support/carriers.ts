import type { Wanted } from '../../src/admission/ports.ts';
import type { EmbeddedRegistry, RegistryOptions } from '../../src/demo/registry/start-registry.ts';
import { computeDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import {
  emptyConfig,
  ociArtifactManifest,
  ociIndex,
  ociManifest,
  orasArtifactManifest,
} from '../../src/oci/media-types.ts';
import type { Mechanism } from '../../src/policy/evidence.ts';
import type { CosignSuffix } from '../../src/referrers/cosign-tags.ts';
import { fallbackTag } from '../../src/referrers/fallback-tag.ts';
import { documentOf } from '../demo/registry/documents.ts';
import type { TestDocument } from '../demo/registry/documents.ts';

/** What is attached to an image, in whatever form. */
export interface Attachment {
  readonly name: string;
  readonly artifactType: string;
  readonly layers: readonly {
    readonly mediaType: string;
    readonly bytes: Uint8Array;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
  readonly annotations?: Readonly<Record<string, string>>;
}

interface BlobDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly [field: string]: unknown;
}

/** Where it is attached: `repository` holds the artifact, which may be another than that of the image. */
export interface Target {
  readonly registry: EmbeddedRegistry;
  readonly repository: string;
  readonly subject: TestDocument['descriptor'];
}

/** By what a mechanism learns of an artifact. */
type Listing =
  /** An API that lists descriptors under a key; `path` is what follows `<name>` or ends the request. */
  | { readonly kind: 'api'; readonly key: string; readonly path: (subject: Digest) => string }
  /** An index under the referrers tag. */
  | { readonly kind: 'taggedIndex' }
  /** A tag that holds the artifact itself. */
  | { readonly kind: 'tag'; readonly suffix: CosignSuffix }
  /** Entries of an index that holds the image, too. */
  | { readonly kind: 'inIndex' };

/** One mechanism with one form of manifest: whatever carries an artifact, the same is found. */
export interface Carrier {
  readonly carrier: string;
  readonly mechanism: Mechanism;
  readonly listing: Listing;
  /** What settings name, and what the registry offers. */
  readonly ask: readonly Mechanism[];
  readonly serves: RegistryOptions['mechanisms'];
  /** For what the mechanism is asked. */
  readonly wanted: Wanted;
  /** The manifest of an artifact, whole. */
  readonly form: (attachment: Attachment, layers: BlobDescriptor[], subject: object) => object;
  /** Artifacts lie in a further repository. */
  readonly isElsewhere?: true;
  /** The subject is named by a digest of this algorithm; sha256 unless told. */
  readonly algorithm?: 'sha512';
}

const withoutApis = { references: false, referrers: false };
const all: Wanted = { signatures: true, attestations: true, sboms: true };
const emptyBlob = Buffer.from('{}');
const empty: BlobDescriptor = { mediaType: emptyConfig, digest: computeDigest(emptyBlob), size: 2 };

/** An image manifest with these fields, and more for its config and layers. */
function imageForm(
  { name, artifactType, annotations }: Attachment,
  layers: readonly BlobDescriptor[],
  fields: object = {},
): object {
  return {
    schemaVersion: 2,
    mediaType: ociManifest,
    artifactType,
    config: empty,
    layers,
    annotations: { ...annotations, 'org.opencontainers.image.title': name },
    ...fields,
  };
}

/** An artifact manifest: `blobs`, and neither config nor layers. */
const artifactForm =
  (mediaType: string): Carrier['form'] =>
  ({ name, artifactType, annotations }, blobs, subject) => ({
    mediaType,
    artifactType,
    blobs,
    subject,
    annotations: { ...annotations, 'org.opencontainers.image.title': name },
  });

const subjectForm: Carrier['form'] = (attachment, layers, subject) =>
  imageForm(attachment, layers, { subject });
const freeForm: Carrier['form'] = (attachment, layers) => imageForm(attachment, layers);

const references = {
  mechanism: 'References',
  listing: { kind: 'api', key: 'manifests', path: (subject) => `manifests/${subject}/references` },
  ask: ['References'],
  serves: { references: true, referrers: false },
  wanted: all,
} satisfies Partial<Carrier>;
const referrers = {
  mechanism: 'Referrers',
  listing: { kind: 'api', key: 'manifests', path: (subject) => `referrers/${subject}` },
  ask: ['Referrers'],
  serves: { references: false, referrers: true },
  wanted: all,
} satisfies Partial<Carrier>;
const fallback = {
  mechanism: 'FallbackTag',
  listing: { kind: 'taggedIndex' },
  ask: ['FallbackTag'],
  serves: withoutApis,
  wanted: all,
  form: subjectForm,
} satisfies Partial<Carrier>;
const cosignTag = (suffix: CosignSuffix) =>
  ({
    mechanism: 'CosignTag',
    listing: { kind: 'tag', suffix },
    ask: ['CosignTag'],
    serves: withoutApis,
    wanted: { signatures: suffix === 'sig', attestations: suffix === 'att', sboms: suffix === 'sbom' },
    form: freeForm,
  }) satisfies Partial<Carrier>;
const oras = {
  mechanism: 'Oras',
  ask: ['Oras'],
  wanted: all,
  form: artifactForm(orasArtifactManifest),
} satisfies Partial<Carrier>;

export const carriers: readonly Carrier[] = [
  {
    ...references,
    carrier: 'References, on the manifest',
    form: (attachment, layers, reference) => imageForm(attachment, layers, { reference }),
  },
  {
    ...references,
    carrier: 'References, on the config',
    form: (attachment, layers, reference) =>
      imageForm(attachment, layers, { config: { ...empty, reference } }),
  },
  {
    ...references,
    carrier: 'References, on each layer',
    form: (attachment, layers, reference) =>
      imageForm(
        attachment,
        layers.map((layer) => ({ ...layer, reference })),
      ),
  },
  { ...referrers, carrier: 'Referrers', form: subjectForm },
  {
    ...referrers,
    carrier: 'Referrers, artifact manifests of 1.1-rc',
    form: artifactForm(ociArtifactManifest),
  },
  { ...fallback, carrier: 'FallbackTag' },
  { ...fallback, carrier: 'FallbackTag, cut for sha512', algorithm: 'sha512' },
  { ...cosignTag('sig'), carrier: 'CosignTag .sig' },
  { ...cosignTag('att'), carrier: 'CosignTag .att' },
  { ...cosignTag('sbom'), carrier: 'CosignTag .sbom' },
  {
    ...oras,
    carrier: 'Oras of rc.1 and rc.2',
    listing: {
      kind: 'api',
      key: 'referrers',
      path: (subject) => `_oras/artifacts/referrers?digest=${encodeURIComponent(subject)}`,
    },
    serves: { ...withoutApis, oras: ['rc'] },
  },
  {
    ...oras,
    carrier: 'Oras of draft.1',
    listing: { kind: 'api', key: 'references', path: (subject) => `manifests/${subject}/referrers` },
    serves: { ...withoutApis, oras: ['draft'] },
  },
  {
    carrier: 'InIndex',
    mechanism: 'InIndex',
    listing: { kind: 'inIndex' },
    ask: ['CosignTag'],
    serves: withoutApis,
    wanted: all,
    form: freeForm,
  },
  { ...referrers, carrier: 'Referrers of a further repository', form: subjectForm, isElsewhere: true },
  { ...fallback, carrier: 'FallbackTag of a further repository', isElsewhere: true },
  { ...cosignTag('sig'), carrier: 'CosignTag .sig of a further repository', isElsewhere: true },
];

export function carrierNamed(name: string): Carrier {
  const found = carriers.find(({ carrier }) => carrier === name);
  if (found === undefined) throw new Error(`there is no carrier ${name}`);
  return found;
}

/** Whether a path is that by which the mechanism asks; an index that is at hand is not asked for. */
export function isAsked({ listing }: Carrier, { repository, subject }: Target, path: string): boolean {
  switch (listing.kind) {
    case 'api':
      return path.endsWith(`${repository}/${listing.path(subject.digest)}`);
    case 'taggedIndex':
      return path.endsWith(`${repository}/manifests/${fallbackTag(subject.digest)}`);
    case 'tag':
      return path.endsWith(`${repository}/manifests/${cosignTagName(subject.digest, listing.suffix)}`);
    case 'inIndex':
      return false;
  }
}

/** Pushes the artifact, and nothing that leads to it where that is a tag or an index. */
export function pushArtifact(
  { form }: Carrier,
  { registry, repository, subject }: Target,
  attachment: Attachment,
): TestDocument {
  registry.store.putBlob(repository, emptyBlob);
  const layers = attachment.layers.map(({ mediaType, bytes, annotations }): BlobDescriptor => {
    const digest = registry.store.putBlob(repository, bytes);
    const described = { mediaType, digest, size: bytes.byteLength };
    return annotations === undefined ? described : { ...described, annotations };
  });
  const value = form(attachment, layers, subject) as { readonly mediaType: string };
  const document = documentOf(value.mediaType, value);
  registry.store.putManifest(repository, document.bytes, document.mediaType);
  return document;
}

/** Attaches an artifact as the mechanism's tools do. */
export function attach(carrier: Carrier, target: Target, attachment: Attachment): TestDocument {
  const document = pushArtifact(carrier, target, attachment);
  const { listing } = carrier;
  if (listing.kind === 'tag') {
    const { registry, repository, subject } = target;
    registry.store.tag(repository, cosignTagName(subject.digest, listing.suffix), document.digest);
  } else if (listing.kind !== 'api') {
    list(carrier, target, [...listed(carrier, target), entryOf(carrier, target, document)]);
  }
  return document;
}

export const cosignTagName = (subject: Digest, suffix: CosignSuffix): string =>
  `${subject.replace(':', '-')}.${suffix}`;

/** The tag of the index that {@link attach} keeps the attestations of an index in. */
export const holdingTag = 'multi';

/** An artifact as the mechanism lists it. */
export function entryOf(
  { listing }: Carrier,
  { subject }: Target,
  { descriptor }: Pick<TestDocument, 'descriptor'>,
): object {
  if (listing.kind !== 'inIndex') return descriptor;
  return {
    ...descriptor,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': subject.digest,
    },
  };
}

/** Has the mechanism list this, and nothing else; an API by an interceptor. */
export function list(carrier: Carrier, target: Target, entries: readonly unknown[]): void {
  const { listing } = carrier;
  const { registry, repository, subject } = target;
  switch (listing.kind) {
    case 'api':
      registry.intercept((request, response) => {
        if (!isAsked(carrier, target, request.url ?? '')) return false;
        const type = listing.key === 'manifests' ? ociIndex : 'application/json';
        response.writeHead(200, { 'content-type': type }).end(JSON.stringify({ [listing.key]: entries }));
        return true;
      });
      return;
    case 'taggedIndex':
    case 'inIndex': {
      const isHolding = listing.kind === 'inIndex';
      const manifests = isHolding ? [subject, ...entries] : entries;
      const index = documentOf(ociIndex, { schemaVersion: 2, mediaType: ociIndex, manifests });
      const tag = isHolding ? holdingTag : fallbackTag(subject.digest);
      registry.store.putManifest(repository, index.bytes, ociIndex, tag);
      return;
    }
    case 'tag':
      throw new Error('a tag holds an artifact, and lists nothing');
  }
}

/** What an index lists now, the image itself left out. */
function listed({ listing }: Carrier, { registry, repository, subject }: Target): object[] {
  const tag = listing.kind === 'inIndex' ? holdingTag : fallbackTag(subject.digest);
  const digest = registry.store.resolveTag(repository, tag);
  const index = digest === undefined ? undefined : registry.store.manifest(repository, digest);
  if (index === undefined) return [];
  const { manifests } = JSON.parse(Buffer.from(index.bytes).toString()) as { manifests: object[] };
  return listing.kind === 'inIndex' ? manifests.slice(1) : manifests;
}
