import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTemporaryDirectory } from '../processes/temporary-directory.ts';
import type { Cosign } from '../tools/cosign.ts';
import { fulcioChain, startFulcio } from './fulcio.ts';
import type { OidcIssuer } from './oidc-issuer.ts';
import { startOidcIssuer } from './oidc-issuer.ts';
import { startTimestampAuthority } from './timestamp-authority.ts';

/** Everything that keyless signing needs, offline: identities, certificates and timestamps. No log, no SCT. */
export interface SigningServices {
  /** Its tokens become certificates with an e-mail address. */
  readonly people: OidcIssuer;
  /** Its tokens become certificates with a GitHub workflow and its extensions. */
  readonly workflows: OidcIssuer;
  readonly fulcioUrl: string;
  readonly timestampUrl: string;
  /** For `cosign --signing-config`. */
  readonly signingConfigPath: string;
  /** For `cosign --trusted-root`. */
  readonly trustedRootPath: string;
  /** The certificates of the timestamp authority alone, PEM: for legacy signatures. */
  readonly timestampChainPath: string;
  /** The certificates of Fulcio alone, PEM: for legacy signatures. */
  readonly fulcioChainPath: string;
  readonly stop: () => Promise<void>;
}

export async function startSigningServices(cosign: Cosign): Promise<SigningServices> {
  const directory = await makeTemporaryDirectory('signing');
  const stops: (() => Promise<void>)[] = [() => directory.remove()];
  const stop = async (): Promise<void> => {
    for (const stopOne of stops.splice(0).reverse()) await stopOne();
  };
  try {
    const people = await startOidcIssuer();
    stops.push(() => people.stop());
    const workflows = await startOidcIssuer();
    stops.push(() => workflows.stop());
    const fulcio = await startFulcio(directory.path, [
      { url: people.url, type: 'email' },
      { url: workflows.url, type: 'github-workflow' },
    ]);
    stops.push(() => fulcio.process.stop());
    const timestamps = await startTimestampAuthority(directory.path);
    stops.push(() => timestamps.process.stop());

    const fulcioChainPath = join(directory.path, 'fulcio-chain.pem');
    await writeFile(fulcioChainPath, await fulcioChain(fulcio.url));
    const timestampChainPath = join(directory.path, 'timestamp-chain.pem');
    await writeFile(timestampChainPath, await timestamps.chain());
    const trustedRootPath = join(directory.path, 'trusted-root.json');
    await cosign.run([
      'trusted-root',
      'create',
      `--out=${trustedRootPath}`,
      `--fulcio=url=${fulcio.url},certificate-chain=${fulcioChainPath}`,
      `--tsa=url=${timestamps.url},certificate-chain=${timestampChainPath}`,
    ]);
    const signingConfigPath = join(directory.path, 'signing-config.json');
    const service = 'api-version=1,start-time=2020-01-01T00:00:00Z,operator=e2e';
    await cosign.run([
      'signing-config',
      'create',
      `--out=${signingConfigPath}`,
      `--fulcio=url=${fulcio.url},${service}`,
      `--tsa=url=${timestamps.url},${service}`,
      '--tsa-config=EXACT:1',
    ]);
    return {
      people,
      workflows,
      fulcioUrl: fulcio.url,
      timestampUrl: timestamps.url,
      signingConfigPath,
      trustedRootPath,
      timestampChainPath,
      fulcioChainPath,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
