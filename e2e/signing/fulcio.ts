import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureComponent } from '../components/ensure-component.ts';
import type { BackgroundProcess } from '../processes/background-process.ts';
import { freePorts } from '../processes/free-ports.ts';
import { httpAnswers } from '../processes/http-answers.ts';
import { startService } from '../processes/start-service.ts';

export interface Fulcio {
  readonly url: string;
  readonly process: BackgroundProcess;
}

/** How Fulcio turns a token of this issuer into a certificate. */
export interface FulcioIssuer {
  readonly url: string;
  readonly type: 'email' | 'github-workflow';
}

/** Fulcio with a certificate authority that lives as long as the process, and without a certificate log (no SCT). */
export async function startFulcio(directory: string, issuers: readonly FulcioIssuer[]): Promise<Fulcio> {
  const [port, grpcPort, metricsPort] = await freePorts(3);
  const configPath = join(directory, 'fulcio.json');
  const entries = issuers.map(
    ({ url, type }) => [url, { IssuerURL: url, ClientID: 'sigstore', Type: type }] as const,
  );
  await writeFile(configPath, JSON.stringify({ OIDCIssuers: Object.fromEntries(entries) }));
  const url = `http://127.0.0.1:${port}`;
  const process = await startService({
    name: 'fulcio',
    file: await ensureComponent('fulcio'),
    args: [
      'serve',
      '--host=127.0.0.1',
      `--port=${port}`,
      '--grpc-host=127.0.0.1',
      `--grpc-port=${grpcPort}`,
      `--metrics-port=${metricsPort}`,
      `--legacy-unix-domain-socket=${join(directory, 'fulcio.socket')}`,
      '--ca=ephemeralca',
      '--ct-log-url=',
      `--config-path=${configPath}`,
    ],
    logPath: join(directory, 'fulcio.log'),
    isReady: () => httpAnswers(`${url}/api/v2/trustBundle`),
  });
  return { url, process };
}

/** The certificate chain of its authority, PEM. */
export async function fulcioChain(url: string): Promise<string> {
  const response = await fetch(`${url}/api/v2/trustBundle`);
  const bundle = (await response.json()) as { chains: { certificates: string[] }[] };
  return bundle.chains.flatMap((chain) => chain.certificates).join('\n');
}
