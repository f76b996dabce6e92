import { RefwardenError } from '../failures/failure.ts';
import { dockerHub } from '../image/reference.ts';
import type { Mechanism } from '../policy/evidence.ts';
import { defaultMechanisms } from './registry-settings.ts';
import type { RegistrySettings } from './registry-settings.ts';

const dockerHubApiHost = 'registry-1.docker.io';

/** Looks settings up by exact host. */
export class RegistryEndpoints {
  readonly #byHost: ReadonlyMap<string, RegistrySettings>;

  constructor(settings: readonly RegistrySettings[]) {
    this.#byHost = new Map(settings.map((entry) => [entry.host, entry]));
  }

  mechanisms(registry: string): readonly Mechanism[] {
    return this.#byHost.get(registry)?.mechanisms ?? defaultMechanisms;
  }

  isPlainHttp(registry: string): boolean {
    return this.#byHost.get(registry)?.plainHttp === true;
  }

  /** Whether the operator listed the host, and so allows its address whatever it is. */
  isNamed(host: string): boolean {
    return this.#byHost.has(host);
  }

  /**
   * The URL of a path of a registry's API. The reference grammar has accepted the host; that a URL parser
   * reads another host out of it (`0x7f.1`) or another path is refused (threat 8).
   * @throws RefwardenError `RegistryRefused`.
   */
  url(registry: string, path: string): URL {
    const host = registry === dockerHub ? dockerHubApiHost : registry;
    const origin = `${this.isPlainHttp(registry) ? 'http' : 'https'}://${host}`;
    const url = URL.canParse(path, origin) ? new URL(path, origin) : undefined;
    const hostname = host.replace(/:[0-9]+$/, '');
    if (url?.hostname !== hostname || url.pathname + url.search !== path || url.username !== '') {
      throw new RefwardenError(
        'RegistryRefused',
        `Registry ${JSON.stringify(registry)} is not asked: a URL would read its name or path otherwise than written.`,
      );
    }
    return url;
  }
}
