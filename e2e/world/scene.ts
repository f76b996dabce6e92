import { inject } from 'vitest';
import { createNamespace } from '../drivers/create-namespace.ts';
import type { Kubectl } from '../drivers/kubectl.ts';
import { makeKubectl } from '../drivers/kubectl.ts';
import { apply, create, must } from '../objects/kubectl-objects.ts';
import { clusterPolicy, guardLabel } from '../objects/policy.ts';
import type { PolicySpec } from '../objects/policy.ts';
import { pod, podSpec } from '../objects/pod.ts';
import type { CommandResult } from '../processes/run-command.ts';
import { makeTemporaryDirectory } from '../processes/temporary-directory.ts';
import { waitUntil } from '../processes/wait-until.ts';
import { startWebhook } from '../webhook/webhook-process.ts';
import type { WebhookProcess } from '../webhook/webhook-process.ts';

/** How long a change may take until the webhook goes by it. */
const effectTimeoutMs = 30_000;

/** The stage of one test file: a webhook of its own, asked by the API server, and namespaces of its own. */
export interface Scene {
  readonly kubectl: Kubectl;
  readonly webhook: WebhookProcess;
  /** Makes a namespace with a label that only the policy of this name selects. */
  readonly addNamespace: (name: string) => Promise<void>;
  /** Applies the policy of this name. */
  readonly applyPolicy: (name: string, spec: PolicySpec) => Promise<void>;
  /** Both, and waits until the policy denies `unsigned` there: what is admitted afterwards is admitted by it. */
  readonly guard: (name: string, spec: PolicySpec, unsigned: string) => Promise<void>;
  /** What comes of creating a Pod with this image. */
  readonly runPod: (namespace: string, image: string, ...flags: string[]) => Promise<CommandResult>;
  /** Asks by dry runs until the answer about a Pod with this image is as wanted. */
  readonly awaitAnswer: (
    namespace: string,
    image: string,
    what: string,
    isWanted: (result: CommandResult) => boolean,
  ) => Promise<void>;
}

export interface SceneOptions {
  readonly kubeconfigPath: string;
  readonly webhookHost: string;
  /** What the webhook reaches the cluster by, if it is something else. */
  readonly webhookKubeconfigPath?: string;
  /** Registries that the webhook may ask. */
  readonly hosts: readonly string[];
  /** What its settings file says of them. */
  readonly registrySettings?: object;
}

/** Everything that it starts or makes ends with `stack`, also when it fails half-way. */
export async function openScene(stack: AsyncDisposableStack, options: SceneOptions): Promise<Scene> {
  const { kubeconfigPath, webhookHost, hosts } = options;
  const { registrySettings, webhookKubeconfigPath = inject('world').serviceKubeconfigPath } = options;
  const directory = await makeTemporaryDirectory('scene');
  stack.defer(() => directory.remove());
  const kubectl = await makeKubectl(kubeconfigPath, directory.path);
  const remove = (kind: string, name: string): void => {
    stack.defer(async () => {
      await must(kubectl, ['delete', kind, name, '--wait=false', '--ignore-not-found']);
    });
  };
  const webhook = await startWebhook({
    kubeconfigPath: webhookKubeconfigPath,
    host: webhookHost,
    plainHttp: hosts,
    ...(registrySettings === undefined ? {} : { registrySettings }),
  });
  stack.defer(() => webhook.stop());
  // Removed before its webhook ends: without one behind it, it would hold up everybody.
  remove('mutatingwebhookconfiguration', 'refwarden');
  remove('validatingwebhookconfiguration', 'refwarden');
  await must(kubectl, ['apply', '-f', '-'], webhook.configurations);

  const runPod: Scene['runPod'] = (namespace, image, ...flags) =>
    create(kubectl, pod(namespace, podSpec(image)), ...flags);
  const awaitAnswer: Scene['awaitAnswer'] = async (namespace, image, what, isWanted) => {
    let last: CommandResult | undefined;
    await waitUntil(
      async () => {
        last = await runPod(namespace, image, '--dry-run=server');
        return isWanted(last) ? true : undefined;
      },
      { what, timeoutMs: effectTimeoutMs },
    ).catch((cause: unknown) => {
      throw new Error(`${what}: not within ${effectTimeoutMs} ms\n${last?.stderr}\n${webhook.logTail()}`, {
        cause,
      });
    });
  };
  const addNamespace: Scene['addNamespace'] = async (name) => {
    remove('namespace', name);
    await createNamespace({ kubectl }, name, { [guardLabel]: name });
  };
  const applyPolicy: Scene['applyPolicy'] = async (name, spec) => {
    remove('clusterartifactpolicy', name);
    await apply(kubectl, clusterPolicy(name, spec));
  };
  return {
    kubectl,
    webhook,
    addNamespace,
    applyPolicy,
    guard: async (name, spec, unsigned) => {
      await addNamespace(name);
      await applyPolicy(name, spec);
      await awaitAnswer(name, unsigned, `policy ${name} is in force`, ({ stderr }) =>
        stderr.includes(`policy ${name} (`),
      );
    },
    runPod,
    awaitAnswer,
  };
}
