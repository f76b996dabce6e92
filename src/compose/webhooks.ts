import { webhookConfigurations } from '../admission/webhook-configurations.ts';
import { parseWebhookSettings } from '../admission/webhook-settings.ts';
import type { WebhookSettings } from '../admission/webhook-settings.ts';
import type { RemoveWebhooksOptions, WebhooksOptions } from '../cli/commands.ts';
import { removeWebhooks } from '../kubernetes/remove-webhooks.ts';
import { renderManifest } from '../policy/crd/render-manifest.ts';
import { readBounded } from '../registry/bounded-file.ts';
import { loadAuthority } from '../server/serving-certificate.ts';

/** Largest file of webhook settings, bytes. */
const maxWebhookSettingsBytes = 256 * 1024;

/** @param path absent = undefined. */
export async function readWebhookSettings(path: string | undefined): Promise<WebhookSettings | undefined> {
  if (path === undefined) return undefined;
  const bytes = await readBounded(path, maxWebhookSettingsBytes, `The webhook settings ${path}`);
  return parseWebhookSettings(bytes.toString('utf8'));
}

export async function webhooks({ ca, settings, ...target }: WebhooksOptions): Promise<string> {
  const configurations = webhookConfigurations(
    (await readWebhookSettings(settings)) ?? parseWebhookSettings(''),
    { ...target, caPem: await loadAuthority(ca) },
  );
  return configurations.map(renderManifest).join('');
}

export async function removeRegistered(
  { settings: path, kubeconfig }: RemoveWebhooksOptions,
  signal: AbortSignal,
): Promise<string> {
  const settings = (await readWebhookSettings(path)) ?? parseWebhookSettings('');
  const { removed, isMarked } = await removeWebhooks(settings, kubeconfig, signal);
  const what = removed.length === 0 ? 'There were no webhooks' : `Removed: ${removed.join(', ')}`;
  const { namespace, name } = settings.service;
  return isMarked
    ? `${what}. Service ${name} is marked: running replicas do not put them back.`
    : `${what}. There is no Service ${name} in namespace ${namespace} to mark: replicas that still run put them back.`;
}
