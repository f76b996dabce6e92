import { onTestFinished } from 'vitest';
import type { ContentStore } from '../../src/admission/content-store.ts';
import type { EmbeddedRegistry } from '../../src/demo/registry/start-registry.ts';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import { computeDigest } from '../../src/image/digest.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { ociManifest } from '../../src/oci/media-types.ts';
import type { RegistryClientOptions } from '../../src/registry/registry-client.ts';
import { createRegistryClient } from '../../src/registry/registry-client.ts';
import { manifest } from '../demo/registry/documents.ts';
import { TestClock, plainHttp } from './registry-access.ts';

/** A client that is closed when the test ends. */
export function startClient(options: RegistryClientOptions): ContentStore {
  const client = createRegistryClient(options);
  onTestFinished(() => client.close());
  return client;
}

export const app = manifest('app');
export const json = { 'content-type': ociManifest };

/** A registry that holds `shop/app:1.0`, and a client for it. */
export async function setUp(
  options: RegistryClientOptions = {},
): Promise<{ registry: EmbeddedRegistry; client: ContentStore; clock: TestClock; paths: () => string[] }> {
  const registry = await startRegistry({ mechanisms: { references: false, referrers: true } });
  onTestFinished(() => registry.close());
  registry.store.putManifest('shop/app', app.bytes, app.mediaType, '1.0');
  const clock = new TestClock();
  const client = startClient({ ...plainHttp(registry.host), clock, ...options });
  return {
    registry,
    client,
    clock,
    paths: () => registry.requests.map(({ method, path }) => `${method} ${path}`),
  };
}

export const blobOf = (bytes: Uint8Array, given: Partial<Descriptor> = {}): Descriptor => ({
  mediaType: 'application/octet-stream',
  digest: computeDigest(bytes),
  size: bytes.byteLength,
  annotations: {},
  ...given,
});
