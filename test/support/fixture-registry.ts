import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadLayout } from '../../src/demo/registry/load-layout.ts';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import type { EmbeddedRegistry, RegistryOptions } from '../../src/demo/registry/start-registry.ts';

const fixtures = fileURLToPath(new URL('../fixtures/cosign', import.meta.url));

/** What real cosign made, as `acme/app:1.4.0` of a registry with the referrers API. */
export async function startFixtureRegistry(
  fixture: string,
  options: Partial<RegistryOptions> = {},
): Promise<EmbeddedRegistry & { readonly image: string }> {
  const registry = await startRegistry({ mechanisms: { references: false, referrers: true }, ...options });
  await loadLayout(registry.store, 'acme/app', `${fixtures}/${fixture}`);
  const { image } = JSON.parse(readFileSync(`${fixtures}/${fixture}/case.json`, 'utf8')) as { image: string };
  return { ...registry, image };
}
