import type { ContentStore } from '../admission/content-store.ts';
import { anonymous } from '../admission/ports.ts';
import type { Credentials, RequestRecorder } from '../admission/ports.ts';
import type { RegistryOptions } from '../cli/commands.ts';
import { RefwardenError } from '../failures/failure.ts';
import { openLayout } from '../layout/layout-store.ts';
import { publicHosts } from '../network/bounded-fetch.ts';
import type { HostRules } from '../network/bounded-fetch.ts';
import { CloudCredentials } from '../registry/cloud/cloud-credentials.ts';
import { CloudHttp } from '../registry/cloud/cloud-http.ts';
import { CredentialHelpers } from '../registry/credential-helpers.ts';
import { CredentialProviders } from '../registry/credential-providers.ts';
import { firstOf } from '../registry/first-of.ts';
import { openDiskCache } from '../registry/disk-cache.ts';
import type { DiskCache } from '../registry/disk-cache.ts';
import { loadDockerConfig } from '../registry/docker-config.ts';
import { defaultRegistryLimits } from '../registry/limits.ts';
import { loadRegistrySettings } from '../registry/load-registry-settings.ts';
import type { LoadedSettings } from '../registry/load-registry-settings.ts';
import { createRegistryClient } from '../registry/registry-client.ts';
import { RegistryEndpoints } from '../registry/registry-endpoints.ts';
import { clock } from './system-clock.ts';

/** Who is told of what registries do. */
interface Observers {
  readonly requests?: RequestRecorder;
  readonly cacheDirFailed?: (cause: unknown) => void;
}

/** Where images and artifacts are read from. */
export interface Contents {
  readonly store: ContentStore;
  readonly credentials: Credentials;
  /** Which hosts the operator named, and how they are connected to. */
  readonly hosts: HostRules;
  readonly disk?: DiskCache;
  /** Ends what credentials are asked for with, and the cache directory. */
  readonly close: () => Promise<void>;
}

export async function openRegistries(
  options: RegistryOptions,
  settings: LoadedSettings,
  { requests, cacheDirFailed = () => undefined }: Observers,
  helpers?: CredentialHelpers,
): Promise<Contents> {
  const cloud = openCloud(settings, options);
  const credentials = withCloud(await openCredentials(options, helpers), cloud);
  const { cacheDirMaxBytes } = { ...defaultRegistryLimits, ...settings.limits };
  const disk =
    options.cacheDir === undefined
      ? undefined
      : await openDiskCache({
          directory: options.cacheDir,
          maxBytes: cacheDirMaxBytes,
          onFault: cacheDirFailed,
        });
  const store = createRegistryClient({
    ...settings,
    clock,
    ...(disk === undefined ? {} : { disk }),
    ...(requests === undefined ? {} : { requests }),
  });
  return {
    store,
    credentials,
    hosts: hostRules(settings),
    ...(disk === undefined ? {} : { disk }),
    close: async () => {
      await cloud?.close();
      await disk?.close();
    },
  };
}

/** Undefined where the settings name no registry of a cloud: then none is asked. */
function openCloud(
  { registries }: LoadedSettings,
  { environment = {} }: RegistryOptions,
): CloudCredentials | undefined {
  const clouds = new Map(
    registries.flatMap(({ host, credentials }) =>
      credentials === undefined ? [] : [[host, credentials] as const],
    ),
  );
  if (clouds.size === 0) return undefined;
  return new CloudCredentials(clouds, { http: new CloudHttp(), clock, environment });
}

const withCloud = (others: Credentials, cloud: CloudCredentials | undefined): Credentials =>
  cloud === undefined ? others : firstOf(others, cloud);

async function openCredentials(
  { dockerConfig, credentialProviders, credentialProviderDir }: RegistryOptions,
  helpers: CredentialHelpers | undefined,
): Promise<Credentials> {
  const file = dockerConfig === undefined ? anonymous : await loadDockerConfig(dockerConfig, helpers);
  if (credentialProviders === undefined && credentialProviderDir === undefined) return file;
  if (credentialProviders === undefined || credentialProviderDir === undefined) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      'Options --credential-providers and --credential-provider-dir go together.',
    );
  }
  return firstOf(file, await CredentialProviders.load(credentialProviders, credentialProviderDir, clock));
}

/** Hosts that are no registries are allowed by name, and connected to, as registries are. */
export function hostRules({ registries }: LoadedSettings): HostRules {
  const endpoints = new RegistryEndpoints(registries);
  return {
    isNamed: (host) => endpoints.isNamed(host),
    connection: (url) => endpoints.guestConnection(url),
  };
}

export const loadSettings = ({ registries, plainHttp }: RegistryOptions): Promise<LoadedSettings> =>
  loadRegistrySettings(registries, plainHttp);

export async function openContents(
  options: RegistryOptions & { readonly layout?: string },
  settings: LoadedSettings,
): Promise<Contents> {
  if (options.layout !== undefined) {
    const store = await openLayout(options.layout, { clock });
    return { store, credentials: anonymous, hosts: publicHosts, close: () => Promise.resolve() };
  }
  // The user's own command runs the user's own helpers; the webhook runs nothing but providers that it was told of.
  return await openRegistries(options, settings, {}, new CredentialHelpers(clock));
}
