import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority, issueServingCertificate } from '../../src/certificates/issue-certificates.ts';
import type { BackgroundProcess } from '../processes/background-process.ts';
import { freePorts } from '../processes/free-ports.ts';
import { httpAnswers } from '../processes/http-answers.ts';
import { runCommandOrThrow } from '../processes/run-command.ts';
import { startService } from '../processes/start-service.ts';
import { makeTemporaryDirectory } from '../processes/temporary-directory.ts';
import { releaseNamespace } from '../world/trust.ts';
import { refwardenCommand } from './refwarden-command.ts';

export interface WebhookOptions {
  readonly kubeconfigPath: string;
  /** The host under which the API server reaches this machine. */
  readonly host: string;
  readonly plainHttp: readonly string[];
  /** Content of the file of `--registries`. */
  readonly registrySettings?: object;
}

/** `refwarden serve` with policies of the cluster, at an address that outlives the process. */
export interface WebhookProcess {
  /** What `refwarden webhooks` says for it, YAML. */
  readonly configurations: string;
  /** Everything that `/metrics` says. */
  readonly metrics: () => Promise<string>;
  /** The end of its log. */
  readonly logTail: () => string;
  /** What `/readyz` answers. */
  readonly readiness: () => Promise<number | undefined>;
  /** It does nothing until what this returns is called. */
  readonly pause: () => () => void;
  /** SIGKILL. */
  readonly kill: () => Promise<void>;
  /** Starts it again at the same address and waits until it is ready. */
  readonly restart: () => Promise<void>;
  /** SIGTERM, and waits until it has drained and ended. */
  readonly terminate: () => Promise<void>;
  /** Ends it at once and removes its files. */
  readonly stop: () => Promise<void>;
}

/** Past the time that it lingers and drains. */
const terminateTimeoutMs = 45_000;

export async function startWebhook({
  kubeconfigPath,
  host,
  plainHttp,
  registrySettings = {},
}: WebhookOptions): Promise<WebhookProcess> {
  const directory = await makeTemporaryDirectory('webhook');
  const [port, operationsPort] = await freePorts(2);
  const term = { fromMs: Date.now(), lifetimeMs: 86_400_000 };
  const authority = await createAuthority('Refwarden e2e', term);
  const { certPem, keyPem } = await issueServingCertificate(authority, [host], term);
  const certPath = join(directory.path, 'tls.crt');
  const keyPath = join(directory.path, 'tls.key');
  await writeFile(certPath, certPem);
  await writeFile(keyPath, keyPem, { mode: 0o600 });
  // YAML, of which JSON is a part.
  const settingsPath = join(directory.path, 'registries.yaml');
  await writeFile(settingsPath, JSON.stringify(registrySettings));
  const webhooksPath = join(directory.path, 'webhooks.yaml');
  await writeFile(webhooksPath, JSON.stringify({ url: `https://${host}:${port}` }));
  const caPath = join(directory.path, 'ca.crt');
  await writeFile(caPath, authority.certPem);
  const { stdout: configurations } = await runCommandOrThrow(
    ...refwardenCommand(
      'webhooks',
      `--ca=${caPath}`,
      `--settings=${webhooksPath}`,
      `--release-namespace=${releaseNamespace}`,
    ),
  );

  const operations = `http://127.0.0.1:${operationsPort}`;
  const [file, args] = refwardenCommand(
    'serve',
    `--kubeconfig=${kubeconfigPath}`,
    `--release-namespace=${releaseNamespace}`,
    `--listen=${host === '127.0.0.1' ? host : '0.0.0.0'}:${port}`,
    `--operations-listen=127.0.0.1:${operationsPort}`,
    `--tls-cert=${certPath}`,
    `--tls-key=${keyPath}`,
    `--registries=${settingsPath}`,
    ...plainHttp.map((registry) => `--plain-http=${registry}`),
  );
  const start = (): Promise<BackgroundProcess> =>
    startService({
      name: 'refwarden',
      file,
      args,
      logPath: join(directory.path, 'refwarden.log'),
      // Without the registry logins and the cluster of the person running this.
      env: { DOCKER_CONFIG: directory.path, KUBECONFIG: undefined, POD_NAMESPACE: undefined },
      isReady: async () => ((await readiness(operations)) === 200 ? true : undefined),
    });
  let running = await start().catch(async (error: unknown) => {
    await directory.remove();
    throw error;
  });
  return {
    configurations,
    metrics: async () => (await fetch(`${operations}/metrics`)).text(),
    logTail: () => running.logTail(),
    readiness: () => readiness(operations),
    pause: () => {
      const { pid } = running;
      process.kill(pid, 'SIGSTOP');
      return () => {
        process.kill(pid, 'SIGCONT');
      };
    },
    kill: () => running.kill(),
    restart: async () => {
      running = await start();
    },
    terminate: () => running.stop(terminateTimeoutMs),
    stop: async () => {
      await running.kill();
      await directory.remove();
    },
  };
}

async function readiness(operations: string): Promise<number | undefined> {
  if ((await httpAnswers(`${operations}/livez`)) === undefined) return undefined;
  const response = await fetch(`${operations}/readyz`);
  await response.body?.cancel();
  return response.status;
}
