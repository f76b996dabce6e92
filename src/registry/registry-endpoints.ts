import { RefwardenError } from '../failures/failure.ts';
import { dockerHub } from '../image/reference.ts';
import type { Repository } from '../image/reference.ts';
import type { Mechanism } from '../policy/evidence.ts';
import { direct } from '../network/connection.ts';
import type { Connection } from '../network/connection.ts';
import { defaultMechanisms } from './registry-settings.ts';
import type { RegistrySettings } from './registry-settings.ts';

const dockerHubApiHost = 'registry-1.docker.io';

/** Where a repository is asked for, in the names of the host that is asked: its mirror, if it has one. */
export interface Located {
  readonly target: Repository;
  readonly url: URL;
}

/** How a listed host is connected to. */
interface Connections {
  /** For its own images. */
  readonly home: Connection;
  /** When another registry leads to it: without the certificate that says who we are. */
  readonly guest: Connection;
  /** To hosts without settings that it leads to. */
  readonly onward: Connection;
}

/** Looks settings up by exact host. */
export class RegistryEndpoints {
  readonly #byHost: ReadonlyMap<string, RegistrySettings>;
  readonly #connections: ReadonlyMap<string, Connections>;
  readonly #named: ReadonlySet<string>;

  constructor(settings: readonly RegistrySettings[]) {
    this.#byHost = new Map(settings.map((entry) => [entry.host, entry]));
    this.#connections = new Map(settings.map((entry) => [entry.host, connectionsOf(entry)]));
    this.#named = new Set(
      settings.flatMap(({ host, mirror }) => [host, ...(mirror === undefined ? [] : [mirror])]),
    );
  }

  mechanisms(registry: string): readonly Mechanism[] {
    return this.#byHost.get(registry)?.mechanisms ?? defaultMechanisms;
  }

  /** @param asked the host that is asked. */
  isPlainHttp(asked: string): boolean {
    return this.#byHost.get(asked)?.plainHttp === true;
  }

  /** Whether the operator named the host, and so allows its address whatever it is. */
  isNamed(host: string): boolean {
    return this.#named.has(host);
  }

  /** The repository in the names of the host that is asked for it: credentials and tokens are for that one. */
  asked({ registry, repository }: Repository): Repository {
    const { mirror = registry, prefix } = this.#byHost.get(registry) ?? {};
    return { registry: mirror, repository: prefix === undefined ? repository : `${prefix}/${repository}` };
  }

  /**
   * Where something of a repository is asked for.
   * @param rest what follows `<root>/<name>/`.
   * @throws RefwardenError `RegistryRefused`.
   */
  locate(repository: Repository, rest: string, root = '/v2'): Located {
    const target = this.asked(repository);
    return { target, url: this.#url(target.registry, `${root}/${target.repository}/${rest}`) };
  }

  /** Whether a URL is on the origin of a host that is asked. */
  isHome(url: URL, asked: string): boolean {
    return url.origin === this.home(asked).origin;
  }

  home(asked: string): URL {
    return this.#url(asked, '/');
  }

  /**
   * How a URL is connected to. What the destination has settings for is its own; TLS material of one host is never
   * used for another.
   * @param asked the registry on whose behalf.
   */
  connection(url: URL, asked: string): Connection {
    const own = this.#connections.get(asked);
    if (this.isHome(url, asked)) return own?.home ?? direct;
    return this.#guest(url) ?? own?.onward ?? direct;
  }

  /** How a URL is connected to on nobody's behalf: for what is no registry. */
  guestConnection(url: URL): Connection {
    return this.#guest(url) ?? direct;
  }

  #guest({ host }: URL): Connection | undefined {
    return this.#connections.get(host === dockerHubApiHost ? dockerHub : host)?.guest;
  }

  /**
   * The URL of a path of a host's API. The reference grammar has accepted the host; that a URL parser
   * reads another host out of it (`0x7f.1`) or another path is refused (threat 8).
   */
  #url(asked: string, path: string): URL {
    const host = asked === dockerHub ? dockerHubApiHost : asked;
    const origin = `${this.isPlainHttp(asked) ? 'http' : 'https'}://${host}`;
    const url = URL.canParse(path, origin) ? new URL(path, origin) : undefined;
    const hostname = host.replace(/:[0-9]+$/, '');
    if (url?.hostname !== hostname || url.pathname !== path || url.username !== '') {
      throw new RefwardenError(
        'RegistryRefused',
        `Registry ${JSON.stringify(asked)} is not asked: a URL would read its name or path otherwise than written.`,
      );
    }
    return url;
  }
}

function connectionsOf({ ca, clientCertificate, proxy }: RegistrySettings): Connections {
  const onward: Connection = proxy === undefined ? direct : { proxy: new URL(proxy) };
  const guest: Connection = ca === undefined ? onward : { ...onward, ca };
  return {
    onward,
    guest,
    home: clientCertificate === undefined ? guest : { ...guest, ...clientCertificate },
  };
}
