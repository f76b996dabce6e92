import type { Clock } from '../admission/ports.ts';
import type { FoundSecrets, PullSecret } from '../admission/pull-secret.ts';
import { namesOf } from '../admission/workload.ts';
import type { Workload } from '../admission/workload.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import { ApiClient } from './api-client.ts';
import { loadKubeConfig } from './kube-config.ts';
import { textsOf } from './kube-object.ts';
import { RememberedObjects } from './remembered-objects.ts';
import type { Looked } from './remembered-objects.ts';

/** Most secrets of one workload that are looked at. */
const maxSecrets = 16;

/** Reads the pull secrets of workloads, each by its name. */
export class PullSecrets {
  readonly #api: ApiClient;
  readonly #secrets: RememberedObjects<PullSecret>;
  readonly #accounts: RememberedObjects<readonly string[]>;

  /** @param kubeconfig path; absent = KUBECONFIG, the home directory, or the service account of the pod. */
  constructor(kubeconfig: string | undefined, clock: Clock) {
    const api = new ApiClient(loadKubeConfig(kubeconfig));
    this.#api = api;
    this.#secrets = new RememberedObjects({
      api,
      clock,
      resource: 'secrets',
      kind: 'secret',
      read: readSecret,
      sizeOf: ({ bytes }) => bytes.byteLength,
    });
    this.#accounts = new RememberedObjects({
      api,
      clock,
      resource: 'serviceaccounts',
      kind: 'service account',
      read: (object) => ({ found: namesOf(object['imagePullSecrets']) }),
      sizeOf: (names) => names.join().length,
    });
  }

  /** Those that the workload names; else, for a template, those of its service account, which the API server gives to Pods itself. Never rejects. */
  async find({ namespace, pull, isTemplate }: Workload): Promise<FoundSecrets> {
    if (pull === undefined) return { secrets: [], missing: [] };
    let names = pull.secrets;
    const missing: string[] = [];
    if (isTemplate && names.length === 0) {
      const account = await this.#accounts.look(namespace, pull.serviceAccount);
      if ('missing' in account) missing.push(account.missing);
      else names = account.found;
    }
    const looked = await Promise.all(
      names.slice(0, maxSecrets).map((name) => this.#secrets.look(namespace, name)),
    );
    if (names.length > maxSecrets) missing.push(`only the first ${maxSecrets} pull secrets are looked at`);
    return {
      secrets: looked.flatMap((one) => ('found' in one ? [one.found] : [])),
      missing: [...missing, ...looked.flatMap((one) => ('missing' in one ? [one.missing] : []))],
    };
  }

  async close(): Promise<void> {
    this.#secrets.close();
    this.#accounts.close();
    await this.#api.close();
  }
}

/** Kubernetes, "Pull an Image from a Private Registry". */
const forms = new Map<unknown, { readonly key: string; readonly form: PullSecret['form'] }>([
  ['kubernetes.io/dockerconfigjson', { key: '.dockerconfigjson', form: 'config.json' }],
  ['kubernetes.io/dockercfg', { key: '.dockercfg', form: 'dockercfg' }],
]);

function readSecret(object: JsonObject, name: string): Looked<PullSecret> {
  const kind = forms.get(object['type']);
  if (kind === undefined) return { missing: `${name} is of no type that holds credentials of registries` };
  const data = textsOf(object, 'data')[kind.key];
  if (data === undefined) return { missing: `${name} has no ${kind.key}` };
  return { found: { name, form: kind.form, bytes: Buffer.from(data, 'base64') } };
}
