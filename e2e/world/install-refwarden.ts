import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from '../drivers/cluster-driver.ts';
import type { Kubectl } from '../drivers/kubectl.ts';
import { apply, must } from '../objects/kubectl-objects.ts';
import { chartPath, makeHelm } from '../tools/helm.ts';
import { releaseNamespace } from './trust.ts';

/** Name of the release, and so of everything that the chart makes. */
export const releaseName = 'refwarden';

/** The processes under test run outside the cluster: Pods of the chart are never scheduled. */
const nowhere = { nodeSelector: { 'refwarden.dev/e2e': 'nowhere' }, pullSecrets: { mode: 'All' } };

/**
 * Installs the chart and puts the trust material in place. Nothing of it runs: the tests start what they test, with the
 * rights of the chart's ServiceAccount.
 * @param directory for files that are needed as long as the cluster.
 * @returns path of a kubeconfig with a token of the ServiceAccount.
 */
export async function installRefwarden(
  { kubectl, kubeconfigPath }: Pick<Cluster, 'kubectl' | 'kubeconfigPath'>,
  trust: readonly object[],
  directory: string,
): Promise<string> {
  const helm = await makeHelm(directory, kubeconfigPath);
  const { code, stderr } = await helm(
    [
      'upgrade',
      releaseName,
      chartPath,
      '--install',
      '--create-namespace',
      '--namespace',
      releaseNamespace,
      '--values',
      '-',
    ],
    JSON.stringify(nowhere),
  );
  if (code !== 0) throw new Error(`helm could not install the chart:\n${stderr}`);
  await must(kubectl, ['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all']);
  await apply(kubectl, trust);
  return writeServiceKubeconfig(kubectl, directory);
}

async function writeServiceKubeconfig(kubectl: Kubectl, directory: string): Promise<string> {
  const token = await must(kubectl, [
    'create',
    'token',
    releaseName,
    `--namespace=${releaseNamespace}`,
    '--duration=24h',
  ]);
  const config = JSON.parse(
    await must(kubectl, ['config', 'view', '--raw', '--flatten', '--minify', '--output=json']),
  ) as { contexts: { context: { user: string } }[] };
  const [context] = config.contexts;
  if (context === undefined) throw new Error('the kubeconfig has no current context');
  const path = join(directory, 'service-kubeconfig');
  const users = [{ name: context.context.user, user: { token: token.trim() } }];
  await writeFile(path, JSON.stringify({ ...config, users }), { mode: 0o600 });
  return path;
}
