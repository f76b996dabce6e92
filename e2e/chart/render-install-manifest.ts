import { chartDigestLine } from '../../scripts/chart/chart-digest.ts';
import { asKubernetes, chartPath } from '../tools/helm.ts';
import type { Helm } from '../tools/helm.ts';

const releaseNamespace = 'refwarden-system';

const head =
  (): string => `# Refwarden without helm: the chart with its default values. Made by npm run generate:install.
${chartDigestLine()}
#   kubectl apply --server-side -f install.yaml
# To remove it: first "refwarden webhooks remove", or
#   kubectl annotate service refwarden --namespace ${releaseNamespace} refwarden.dev/webhooks=Removed
#   kubectl delete validatingwebhookconfiguration,mutatingwebhookconfiguration refwarden
---
apiVersion: v1
kind: Namespace
metadata:
  name: ${releaseNamespace}
`;

/** What is applied where helm is not used. */
export async function renderInstallManifest(helm: Helm): Promise<string> {
  const { code, stdout, stderr } = await helm([
    'template',
    'refwarden',
    chartPath,
    '--namespace',
    releaseNamespace,
    '--no-hooks',
    ...asKubernetes,
    '--set',
    'crds.keep=false',
  ]);
  if (code !== 0) throw new Error(`helm could not render the chart:\n${stderr}`);
  const manifest = stdout
    .replaceAll('app.kubernetes.io/managed-by: Helm', 'app.kubernetes.io/managed-by: kubectl')
    .replace(/^ *helm\.sh\/chart: .*\n/gm, '');
  return head() + manifest;
}
