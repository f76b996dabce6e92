import { onTestFinished } from 'vitest';
import { createRegistryClient } from '../../src/registry/registry-client.ts';
import type { RegistryClient, RegistryClientOptions } from '../../src/registry/registry-client.ts';

/** A client that is closed when the test ends. */
export function startClient(options: RegistryClientOptions): RegistryClient {
  const client = createRegistryClient(options);
  onTestFinished(() => client.close());
  return client;
}
