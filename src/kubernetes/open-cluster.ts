import { isDeepStrictEqual } from 'node:util';
import type { BaseLogger } from 'pino';
import { LiveSnapshot } from '../admission/live-snapshot.ts';
import type {
  LiveObject,
  LiveSource,
  LiveSourceStatus,
  SnapshotOptions,
  StaleOrigin,
} from '../admission/live-source.ts';
import { toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import type { UnreadablePolicy } from '../policy/compile.ts';
import { modeOf } from '../policy/model/artifact-policy.ts';
import { groupVersion } from '../policy/model/metadata.ts';
import { isPolicy, parseResource } from '../policy/model/resource.ts';
import type { Resource, ResourceKind } from '../policy/model/resource.ts';
import { issuersNamedBy } from '../policy/named-issuers.ts';
import { ResourceSet } from '../policy/resource-set.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { ApiClient } from './api-client.ts';
import { configMapCollection, namespaceCollection, policyCollections } from './collection.ts';
import type { Collection } from './collection.ts';
import { loadKubeConfig } from './kube-config.ts';
import { generationOf, labelsOf, originOf, textsOf } from './kube-object.ts';
import type { ObjectHeader } from './kube-object.ts';
import { NamespaceLookup } from './namespace-lookup.ts';
import { Reflector } from './reflector.ts';
import type { CollectionSink } from './reflector.ts';
import { defaultWatchTiming } from './watch-timing.ts';
import type { WatchTiming } from './watch-timing.ts';

/** Changes often come together: this long after the first of them all are compiled, milliseconds. */
const settleMs = 50;
/** Compiled this often in any case, milliseconds: trust material in files may have changed. */
const recompileMs = 60_000;

export interface ClusterOptions extends SnapshotOptions {
  /** Path of a kubeconfig; absent = KUBECONFIG, the home directory, or the service account of the pod. */
  readonly kubeconfig?: string;
  /** Trust material is read from ConfigMaps of this namespace only. */
  readonly releaseNamespace: string;
  readonly timing?: Partial<WatchTiming>;
  readonly logger?: BaseLogger;
}

/**
 * Policies, namespaces and trust material of a cluster, followed by watches. Returns at once: what is still missing
 * is in the status, and there is no snapshot before everything was listed and every policy parsed.
 * @throws RefwardenError `ConfigurationInvalid` when no API server is known.
 */
export function openCluster(options: ClusterOptions): Promise<LiveSource> {
  return new Promise((resolve) => {
    resolve(new ClusterSource(options, new ApiClient(loadKubeConfig(options.kubeconfig))));
  });
}

class ClusterSource implements LiveSource {
  readonly #options: ClusterOptions;
  readonly #api: ApiClient;
  readonly #lookup: NamespaceLookup;
  readonly #resources = new ResourceSet();
  /** By origin, what stands in for policies whose newest version does not parse. */
  readonly #unreadable = new Map<string, UnreadablePolicy>();
  readonly #objects = new Map<string, LiveObject>();
  readonly #namespaces = new Map<string, Readonly<Record<string, string>>>();
  readonly #configMaps = new Map<string, Readonly<Record<string, string>>>();
  /** Names that issuers asked for: others may change as often as they like. */
  readonly #wantedConfigMaps = new Set<string>();
  readonly #reflectors: readonly Reflector[];
  readonly #recompile: NodeJS.Timeout;
  readonly #ignoreTrust: (() => void) | undefined;
  #settling: NodeJS.Timeout | undefined;
  readonly #snapshot: LiveSnapshot;
  /** Why the last compilation failed. */
  #fault: Failure | undefined;

  constructor(options: ClusterOptions, api: ApiClient) {
    this.#options = options;
    this.#api = api;
    this.#lookup = new NamespaceLookup(api);
    this.#snapshot = new LiveSnapshot({
      ...options,
      read: () => ({ resources: this.#resources.resources(), unreadable: this.#standIns() }),
      configMap: (name) => {
        this.#wantedConfigMaps.add(name);
        return this.configMap(name);
      },
    });
    const settle = (): void => {
      this.#settling ??= setTimeout(() => {
        this.#settling = undefined;
        void this.#compile();
      }, settleMs).unref();
    };
    const reflect = (collection: Collection, sink: Omit<CollectionSink, 'synced'>): Reflector => {
      const timing = { ...defaultWatchTiming, ...options.timing };
      return new Reflector({
        api,
        collection,
        sink: { ...sink, synced: settle },
        timing,
        logger: options.logger,
      });
    };
    this.#reflectors = [
      ...(Object.keys(policyCollections) as ResourceKind[]).map((kind) =>
        reflect(policyCollections[kind], {
          put: (header, object) => {
            if (this.#applyResource(kind, header, object)) settle();
          },
          remove: (header) => {
            const origin = originOf(kind, header);
            options.logger?.info({ origin }, 'Deleted: it is in force no more');
            this.#removeResource(origin);
            settle();
          },
        }),
      ),
      reflect(configMapCollection(options.releaseNamespace), {
        put: ({ name }, object) => {
          const data = textsOf(object, 'data');
          const isNew = !isDeepStrictEqual(this.#configMaps.get(name), data);
          this.#configMaps.set(name, data);
          if (isNew && this.#wantedConfigMaps.has(name)) settle();
        },
        remove: ({ name }) => {
          this.#configMaps.delete(name);
          if (this.#wantedConfigMaps.has(name)) settle();
        },
      }),
      reflect(namespaceCollection, {
        put: ({ name }, object) => {
          this.#namespaces.set(name, labelsOf(object));
        },
        remove: ({ name }) => {
          this.#namespaces.delete(name);
        },
      }),
    ];
    this.#ignoreTrust = options.onTrustChange?.(settle);
    this.#recompile = setInterval(() => {
      void this.#compile();
    }, recompileMs).unref();
  }

  snapshot(): PolicySnapshot | undefined {
    return this.#snapshot.current;
  }

  configMap(name: string): Readonly<Record<string, string>> | undefined {
    return this.#configMaps.get(name);
  }

  labels(namespace: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const labels = this.#namespaces.get(namespace);
    return labels === undefined ? this.#lookup.labels(namespace, signal) : Promise.resolve(labels);
  }

  objects(): Iterable<LiveObject> {
    return this.#objects.values();
  }

  status(): LiveSourceStatus {
    const ready = this.#snapshot.current !== undefined;
    const unusable = this.#resources.unusable();
    const fault = this.#fault === undefined ? [] : [{ origin: 'policies', failure: this.#fault }];
    return {
      ready,
      missing: ready ? [] : this.#missing([...this.#blocking(), ...fault]),
      stale: [...fault, ...unusable, ...this.#resources.stale()],
      lastSyncMs: Object.fromEntries(
        this.#reflectors.map(({ collection, lastContactMs }) => [collection.name, lastContactMs]),
      ),
    };
  }

  async close(): Promise<void> {
    this.#ignoreTrust?.();
    this.#lookup.close();
    await Promise.all(this.#reflectors.map((reflector) => reflector.close()));
    clearTimeout(this.#settling);
    clearInterval(this.#recompile);
    await this.#api.close();
  }

  /**
   * A version that does not parse leaves the last good one in force.
   * @returns false when it says what was in force already: most changes are of the status, which Refwarden writes itself.
   */
  #applyResource(kind: ResourceKind, header: ObjectHeader, object: JsonObject): boolean {
    const origin = originOf(kind, header);
    const { name, namespace } = header;
    const where = namespace === undefined ? 'cluster' : `namespace ${namespace}`;
    const before = this.#objects.get(origin)?.resource;
    const note = (resource: LiveObject['resource']): void => {
      const { status } = object;
      this.#objects.set(origin, {
        kind,
        name,
        namespace,
        generation: generationOf(object),
        status,
        resource,
      });
    };
    let isSame = false;
    this.#resources.apply(origin, () => {
      try {
        const parsed = parseResource({ ...object, apiVersion: groupVersion, kind }, where);
        isSame = isDeepStrictEqual(parsed, before);
        // The very object: what was compiled of it is kept by it.
        const resource = isSame ? (before as Resource) : parsed;
        note(resource);
        this.#unreadable.delete(origin);
        return [resource];
      } catch (error) {
        const failure = toFailure(error);
        note(failure);
        this.#unreadable.delete(origin);
        this.#options.logger?.error(
          { origin, code: failure.code },
          `An object cannot be used: ${failure.message}`,
        );
        // Of an exception nothing stays in force: what nobody can read excepts nothing.
        if (kind === 'ArtifactPolicyException') return [];
        if (kind !== 'TrustedIssuer') {
          this.#unreadable.set(origin, { name, namespace, mode: modeOf(object), failure });
        }
        throw error;
      }
    });
    return !isSame;
  }

  #removeResource(origin: string): void {
    this.#resources.remove(origin);
    this.#objects.delete(origin);
    this.#unreadable.delete(origin);
  }

  async #compile(): Promise<void> {
    const isFirst = this.#snapshot.current === undefined;
    if (isFirst && !this.#isComplete()) return;
    const { logger } = this.#options;
    try {
      const { policies } = await this.#snapshot.compile();
      this.#fault = undefined;
      if (isFirst) logger?.info({ policies: policies.length }, 'The policies are in force');
    } catch (error) {
      this.#fault = toFailure(error);
      logger?.error(
        { cause: error, code: this.#fault.code },
        'The policies cannot be compiled: the last stay in force',
      );
    }
  }

  /** As long as anything is unlisted or unread, nobody knows what policy asks. */
  #isComplete(): boolean {
    return this.#reflectors.every(({ isSynced }) => isSynced) && this.#blocking().length === 0;
  }

  /**
   * Of policies, those of the cluster that enforce alone: their stand-in refuses everything, and a replica of before may still have
   * the last good version in force. What a namespace owns holds up nobody else. Of issuers, those that such a policy asks for.
   */
  #blocking(): readonly StaleOrigin[] {
    const unusable = this.#resources.unusable();
    if (unusable.length === 0) return unusable;
    const enforcing = this.#resources
      .resources()
      .filter(isPolicy)
      .filter(({ kind, spec }) => kind === 'ClusterArtifactPolicy' && spec.mode === 'Enforce');
    const needed = new Set(enforcing.flatMap((policy) => [...issuersNamedBy(policy)]));
    return unusable.filter(({ origin }) => {
      const policy = this.#unreadable.get(origin);
      return policy === undefined
        ? needed.has(this.#objects.get(origin)?.name ?? '')
        : policy.namespace === undefined && policy.mode === 'Enforce';
    });
  }

  #standIns(): readonly UnreadablePolicy[] {
    return this.#resources.unusable().flatMap(({ origin }) => this.#unreadable.get(origin) ?? []);
  }

  #missing(blocking: readonly StaleOrigin[]): readonly string[] {
    const unlisted = this.#reflectors
      .filter(({ isSynced }) => !isSynced)
      .map(({ collection, failure }) => failure?.message ?? `The ${collection.name} are not listed yet.`);
    const missing = [...new Set([...unlisted, ...blocking.map(({ failure }) => failure.message)])];
    return missing.length > 0 ? missing : ['The policies are being compiled.'];
  }
}
