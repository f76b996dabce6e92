import { join } from 'node:path';
import { runCommandOrThrow } from '../processes/run-command.ts';

/** Go modules whose files are definitions of kinds that the chart makes objects of; versions are in `definitions/go.mod`. */
const modules = {
  'github.com/cert-manager/cert-manager': [
    'deploy/crds/cert-manager.io_certificates.yaml',
    'deploy/crds/cert-manager.io_issuers.yaml',
  ],
  'github.com/prometheus-operator/prometheus-operator': [
    'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml',
  ],
} as const;

/** Paths of the CustomResourceDefinitions of cert-manager and of the Prometheus operator; downloaded once. */
export async function foreignDefinitions(): Promise<string[]> {
  const paths: string[] = [];
  for (const [module, files] of Object.entries(modules)) {
    const { stdout } = await runCommandOrThrow('go', ['mod', 'download', '-json', module], {
      cwd: join(import.meta.dirname, 'definitions'),
      env: { GOWORK: 'off' },
    });
    const { Dir: directory } = JSON.parse(stdout) as { Dir: string };
    paths.push(...files.map((file) => join(directory, file)));
  }
  return paths;
}
