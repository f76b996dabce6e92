import { setTimeout as sleep } from 'node:timers/promises';
import type { WebhookSettings } from '../admission/webhook-settings.ts';
import { RefwardenError } from '../failures/failure.ts';
import { ApiClient } from './api-client.ts';
import { serviceCollection, webhookCollection } from './collection.ts';
import { loadKubeConfig } from './kube-config.ts';
import { NamedObject } from './named-object.ts';
import { webhooksAnnotation, webhooksRemoved } from './removal.ts';

/** A replica that was about to write when the mark was set has done so after this, milliseconds. */
const settleMs = 2000;
const maxRounds = 5;

export interface Removal {
  /** Kinds of the configurations that were there. */
  readonly removed: readonly string[];
  /** Whether there was a Service to mark; without one running replicas register their webhooks again. */
  readonly isMarked: boolean;
}

/**
 * Takes the webhooks away and tells running replicas by a mark on their Service not to put them back. Whoever removes
 * Refwarden does this first: a webhook that nobody answers holds up the cluster.
 * @param kubeconfig path; absent = KUBECONFIG, the home directory, or the service account of the pod.
 * @throws RefwardenError `ConfigurationInvalid`, `ClusterUnavailable`
 */
export async function removeWebhooks(
  { name, service }: WebhookSettings,
  kubeconfig: string | undefined,
  signal: AbortSignal,
): Promise<Removal> {
  const api = new ApiClient(loadKubeConfig(kubeconfig));
  try {
    const marked = new NamedObject(api, serviceCollection(service.namespace, service.name));
    const isMarked = await marked.merge(
      { metadata: { annotations: { [webhooksAnnotation]: webhooksRemoved } } },
      signal,
    );
    const kinds = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'] as const;
    const removed = new Set<string>();
    for (let round = 0; round < maxRounds; round++) {
      const found = await Promise.all(
        kinds.map(async (kind) =>
          (await new NamedObject(api, webhookCollection(kind, name)).remove(signal)) ? [kind] : [],
        ),
      );
      if (round > 0 && found.flat().length === 0) return { removed: [...removed], isMarked };
      for (const kind of found.flat()) removed.add(kind);
      await sleep(settleMs, undefined, { signal });
    }
  } finally {
    await api.close();
  }
  throw new RefwardenError(
    'ClusterUnavailable',
    `Somebody puts the webhook configurations ${name} back: scale the Deployment of Refwarden to 0, then run this again.`,
  );
}
