import { onTestFinished } from 'vitest';
import type {
  ArtifactSource,
  Candidate,
  DiscoveryEnd,
  IndexHints,
  ParentEvent,
  ReferrerEvent,
  RegistryAccess,
  Subject,
  Wanted,
} from '../../src/admission/ports.ts';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import type { EmbeddedRegistry, RegistryOptions } from '../../src/demo/registry/start-registry.ts';
import type { Digest } from '../../src/image/digest.ts';
import type { Mechanism } from '../../src/policy/evidence.ts';
import { createArtifactSource } from '../../src/referrers/artifact-source.ts';
import type { RegistryLimits } from '../../src/registry/limits.ts';
import { createRegistryClient } from '../../src/registry/registry-client.ts';
import { manifest } from '../demo/registry/documents.ts';
import { TestClock, accessOf, plainHttp } from '../registry/registry-access.ts';
import { repository } from './artifacts.ts';

export const app = manifest('app');
export const both: Wanted = { signatures: true, attestations: true, sboms: false };
export const signatures: Wanted = { signatures: true, attestations: false, sboms: false };

export interface Started {
  readonly registry: EmbeddedRegistry;
  readonly source: ArtifactSource;
  readonly clock: TestClock;
  readonly subject: Subject;
  /** Requests since the last call. */
  readonly requests: () => string[];
  readonly discover: (wanted?: Wanted, access?: RegistryAccess, digest?: Digest) => Promise<ReferrerEvent[]>;
  readonly parents: (
    digest: Digest,
    access?: RegistryAccess,
    hints?: Partial<IndexHints>,
  ) => Promise<ParentEvent[]>;
}

export interface StartOptions extends Partial<RegistryOptions> {
  /** What the client is configured to ask. */
  readonly ask?: readonly Mechanism[];
  readonly limits?: Partial<RegistryLimits>;
}

export async function start(options: StartOptions = {}): Promise<Started> {
  const { ask, limits, ...registryOptions } = options;
  const registry = await startRegistry({
    mechanisms: { references: false, referrers: true },
    ...registryOptions,
  });
  registry.store.putManifest(repository, app.bytes, app.mediaType, '1.0');
  const clock = new TestClock();
  const source = createArtifactSource(
    createRegistryClient({
      ...plainHttp(registry.host, ask === undefined ? {} : { mechanisms: ask }),
      clock,
      ...(limits === undefined ? {} : { limits }),
    }),
  );
  onTestFinished(async () => {
    await source.close();
    await registry.close();
  });
  const subject: Subject = { registry: registry.host, repository, digest: app.digest };
  return {
    registry,
    source,
    clock,
    subject,
    requests: () => {
      const made = registry.requests.map(
        ({ method, path }) => `${method} ${path.replace('/v2/shop/app/', '')}`,
      );
      registry.clearRequests();
      return made;
    },
    discover: (wanted = both, access = accessOf(), digest = app.digest) =>
      collect(source.referrers({ ...subject, digest }, wanted, access)),
    parents: (digest, access = accessOf(), hints = {}) =>
      collect(source.parents({ ...subject, digest }, { indexTags: [], ...hints }, access)),
  };
}

/** Takes candidates until the first whose layer can be read, as a policy that it satisfies would. */
export async function firstCandidate(
  started: Started,
  wanted: Wanted = both,
  access = accessOf(),
  digest = app.digest,
): Promise<Candidate | undefined> {
  for await (const batch of started.source.referrers({ ...started.subject, digest }, wanted, access)) {
    const event = batch.find(({ kind }) => kind === 'candidate');
    if (event?.kind !== 'candidate') continue;
    const [layer] = event.manifest.layers;
    if (layer !== undefined) await event.fetchLayer(layer, access);
    event.proved();
    return event;
  }
  return undefined;
}

export async function collect<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const collected: T[] = [];
  for await (const batch of batches) collected.push(...batch);
  return collected;
}

export function endOf(events: readonly (ReferrerEvent | ParentEvent)[]): DiscoveryEnd {
  const last = events.at(-1);
  if (last?.kind !== 'end') throw new Error('the discovery did not say how it ended');
  return last;
}

/** `candidate Referrers sha256:...`, `unusable FallbackTag SubjectMissing`, `complete` or `incomplete CODE,CODE`. */
export function outline(events: readonly (ReferrerEvent | ParentEvent)[]): string[] {
  return events.map((event) => {
    switch (event.kind) {
      case 'candidate':
      case 'parent':
        return `${event.kind} ${event.mechanism} ${event.digest}`;
      case 'unusable':
        return `unusable ${event.mechanism} ${event.failure.code}`;
      case 'end':
        return event.complete ? 'complete' : `incomplete ${event.failures.map(({ code }) => code).join()}`;
    }
  });
}
