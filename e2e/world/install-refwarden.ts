import type { Kubectl } from '../drivers/kubectl.ts';
import { apply, must } from '../objects/kubectl-objects.ts';
import { runCommandOrThrow } from '../processes/run-command.ts';
import { refwardenCommand } from '../webhook/refwarden-command.ts';
import { releaseNamespace } from './trust.ts';

const crdNames = [
  'trustedissuers',
  'clusterartifactpolicies',
  'artifactpolicies',
  'artifactpolicyexceptions',
];

/** Puts the CustomResourceDefinitions of `refwarden crds`, the release namespace and the trust material in place. */
export async function installRefwarden(kubectl: Kubectl, trust: readonly object[]): Promise<void> {
  const [file, args] = refwardenCommand('crds');
  const { stdout } = await runCommandOrThrow(file, args);
  await must(kubectl, ['apply', '-f', '-'], stdout);
  const names = crdNames.map((name) => `crd/${name}.refwarden.dev`);
  await must(kubectl, ['wait', '--for=condition=Established', '--timeout=30s', ...names]);
  await apply(kubectl, [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: releaseNamespace } },
    ...trust,
  ]);
}
