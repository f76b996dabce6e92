import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The file that a user fills in and applies. */
export const webhookManifestPath = join(import.meta.dirname, '..', '..', 'manifests', 'webhook.yaml');

interface WebhookConfiguration {
  readonly webhooks: readonly { readonly clientConfig: object }[];
}

/** `manifests/webhook.yaml`, filled in for a webhook outside of the cluster. */
export async function webhookConfiguration(url: string, caPem: string): Promise<object> {
  const manifest = parse(await readFile(webhookManifestPath, 'utf8')) as WebhookConfiguration;
  const clientConfig = { url, caBundle: Buffer.from(caPem).toString('base64') };
  return { ...manifest, webhooks: manifest.webhooks.map((webhook) => ({ ...webhook, clientConfig })) };
}
