import type { ReferrerEvent, RegistryAccess, Subject } from '../../src/admission/ports.ts';
import { computeDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import { parseDocument } from '../../src/oci/manifest.ts';
import { index } from '../demo/registry/documents.ts';
import type { TestDocument } from '../demo/registry/documents.ts';
import { accessOf } from '../registry/registry-access.ts';
import { attach, holdingTag, list, pushArtifact } from '../support/carriers.ts';
import type { Attachment, Carrier, Target } from '../support/carriers.ts';
import { repository } from './artifacts.ts';
import { app, collect, start } from './start-source.ts';
import type { StartOptions, Started } from './start-source.ts';

const elsewhere = 'shop/signatures';
const layerType = 'application/vnd.example.payload';

export interface StartedCarrier extends Started {
  readonly target: Target;
  /** Attaches an artifact of that name, whose layer says so. */
  readonly attach: (name: string) => TestDocument;
  /** Pushes one that refers to another subject, or that nothing leads to. */
  readonly push: (name: string, subject?: TestDocument) => TestDocument;
  readonly list: (entries: readonly unknown[]) => void;
  /** What is found of the image's, by the mechanism alone. */
  readonly find: (access?: RegistryAccess) => Promise<ReferrerEvent[]>;
}

/** A registry that offers one mechanism, and a client that asks for it alone. */
export async function startCarrier(carrier: Carrier, options: StartOptions = {}): Promise<StartedCarrier> {
  const { ask, serves, wanted, algorithm = 'sha256', isElsewhere, listing } = carrier;
  const started = await start({ ask, mechanisms: serves, ...options });
  const { registry, source } = started;
  const digest: Digest = computeDigest(app.bytes, algorithm);
  registry.store.putManifest(repository, app.bytes, app.mediaType, undefined, algorithm);
  const place = isElsewhere === true ? elsewhere : repository;
  const target: Target = { registry, repository: place, subject: { ...app.descriptor, digest } };
  const subject: Subject = { ...started.subject, digest };
  const places = isElsewhere === true ? [{ registry: registry.host, repository: elsewhere }] : [];
  return {
    ...started,
    target,
    subject,
    attach: (name) => attach(carrier, target, attachment(name)),
    push: (name, other) =>
      pushArtifact(
        carrier,
        other === undefined ? target : { ...target, subject: other.descriptor },
        attachment(name),
      ),
    list: (entries) => {
      list(carrier, target, entries);
    },
    find: async (access = accessOf()) => {
      if (listing.kind !== 'inIndex') return collect(source.referrers(subject, wanted, access, places));
      const at = registry.store.resolveTag(repository, holdingTag);
      const held = at === undefined ? undefined : registry.store.manifest(repository, at);
      const holder = parseDocument(held?.bytes ?? index([app]).bytes, undefined, 'the index');
      if (holder.kind !== 'index') throw new Error('no index');
      return collect(source.attestationsIn(holder, subject, access));
    },
  };
}

const attachment = (name: string): Attachment => ({
  name,
  artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  layers: [{ mediaType: layerType, bytes: Buffer.from(`payload of ${name}`) }],
});
