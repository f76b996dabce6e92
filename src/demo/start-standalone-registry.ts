import { RefwardenError } from '../failures/failure.ts';
import { loadLayout } from './registry/load-layout.ts';
import { isRepositoryName } from './registry/make-answerer.ts';
import { RegistryStore } from './registry/registry-store.ts';
import { startRegistry } from './registry/start-registry.ts';
import { parseMechanisms } from './served-mechanisms.ts';

export interface StandaloneOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Comma-separated names. */
  readonly mechanisms: string;
  /** `DIRECTORY=REPOSITORY` each. */
  readonly layouts: readonly string[];
}

export interface StandaloneRegistry {
  /** `host:port`, by which clients on this machine reach it. */
  readonly host: string;
  readonly mechanisms: readonly string[];
  readonly commands: readonly string[];
  readonly close: () => Promise<void>;
}

/**
 * The embedded registry alone, filled with the layouts.
 * @throws RefwardenError `ConfigurationInvalid` for a mechanism, layout or address that is none or cannot be used.
 */
export async function startStandaloneRegistry(options: StandaloneOptions): Promise<StandaloneRegistry> {
  const { mechanisms, names } = parseMechanisms(options.mechanisms);
  const store = new RegistryStore();
  for (const layout of options.layouts) {
    const [directory, repository] = splitLayout(layout);
    await loadLayout(store, repository, directory);
  }
  const registry = await startRegistry({ host: options.host, port: options.port, mechanisms, store });
  const host = registry.host.replace(/^(?:0\.0\.0\.0|\[::\]):/, '127.0.0.1:');
  return {
    host,
    mechanisms: names,
    commands: exampleCommands(host),
    close: () => registry.close(),
  };
}

function splitLayout(text: string): [directory: string, repository: string] {
  const at = text.lastIndexOf('=');
  const repository = text.slice(at + 1);
  if (at < 1 || !isRepositoryName(repository)) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      `--layout ${JSON.stringify(text)} is not DIRECTORY=REPOSITORY, with a repository name such as shop/app.`,
    );
  }
  return [text.slice(0, at), repository];
}

/** An image, what refers to it, and its signature, as the usual tools push them. */
function exampleCommands(host: string): string[] {
  const image = `${host}/shop/app`;
  return [
    `crane push image.tar ${image}:1.0`,
    `oras attach --plain-http --artifact-type application/spdx+json ${image}:1.0 sbom.spdx.json`,
    `cosign sign --key cosign.key --use-signing-config=false --tlog-upload=false ${image}@$(crane digest ${image}:1.0)`,
  ];
}
