import { onTestFinished } from 'vitest';
import { startRegistry } from '../../../src/demo/registry/start-registry.ts';
import type { EmbeddedRegistry, RegistryOptions } from '../../../src/demo/registry/start-registry.ts';

/** A registry that ends with the test, and the paths of its API. */
export interface ServedRegistry {
  readonly registry: EmbeddedRegistry;
  readonly send: (method: string, path: string, init?: RequestInit) => Promise<Response>;
}

export async function serve(options: Partial<RegistryOptions> = {}): Promise<ServedRegistry> {
  const registry = await startRegistry({ mechanisms: { references: true, referrers: true }, ...options });
  onTestFinished(() => registry.close());
  return {
    registry,
    send: (method, path, init) => fetch(`${registry.url}${path}`, { redirect: 'manual', ...init, method }),
  };
}

/** The first error of an error document: code and message. */
export async function errorOf(
  response: Response,
): Promise<[code: string | undefined, message: string | undefined]> {
  const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
  return [errors[0]?.code, errors[0]?.message];
}
