import type { BaseLogger } from 'pino';
import type { LiveSource, LiveSourceStatus, SnapshotOptions } from '../admission/live-source.ts';
import { toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import { compilePolicies } from '../policy/compile.ts';
import { groupVersion } from '../policy/model/metadata.ts';
import { parseResource } from '../policy/model/resource.ts';
import { ResourceSet } from '../policy/resource-set.ts';
import { newlyNotReady } from '../policy/newly-not-ready.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { ApiClient } from './api-client.ts';
import { configMapCollection, namespaceCollection, policyCollections } from './collection.ts';
import type { Collection, PolicyKind } from './collection.ts';
import { loadKubeConfig } from './kube-config.ts';
import { labelsOf, textsOf } from './kube-object.ts';
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
  readonly #namespaces = new Map<string, Readonly<Record<string, string>>>();
  readonly #configMaps = new Map<string, Readonly<Record<string, string>>>();
  readonly #reflectors: readonly Reflector[];
  readonly #recompile: NodeJS.Timeout;
  readonly #ignoreTrust: (() => void) | undefined;
  #settling: NodeJS.Timeout | undefined;
  #snapshot: PolicySnapshot | undefined;
  /** Why the last compilation failed. */
  #fault: Failure | undefined;

  constructor(options: ClusterOptions, api: ApiClient) {
    this.#options = options;
    this.#api = api;
    this.#lookup = new NamespaceLookup(api);
    const settle = (): void => {
      this.#settling ??= setTimeout(() => {
        this.#settling = undefined;
        this.#compile();
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
      ...(Object.keys(policyCollections) as PolicyKind[]).map((kind) =>
        reflect(policyCollections[kind], {
          put: (header, object) => {
            this.#applyResource(kind, header, object);
            settle();
          },
          remove: (header) => {
            this.#resources.remove(originOf(kind, header));
            settle();
          },
        }),
      ),
      reflect(configMapCollection(options.releaseNamespace), {
        put: ({ name }, object) => {
          this.#configMaps.set(name, textsOf(object, 'data'));
          settle();
        },
        remove: ({ name }) => {
          this.#configMaps.delete(name);
          settle();
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
      this.#compile();
    }, recompileMs).unref();
  }

  snapshot(): PolicySnapshot | undefined {
    return this.#snapshot;
  }

  configMap(name: string): Readonly<Record<string, string>> | undefined {
    return this.#configMaps.get(name);
  }

  labels(namespace: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const labels = this.#namespaces.get(namespace);
    return labels === undefined ? this.#lookup.labels(namespace, signal) : Promise.resolve(labels);
  }

  status(): LiveSourceStatus {
    const ready = this.#snapshot !== undefined;
    const unusable = this.#resources.unusable();
    const fault = this.#fault === undefined ? [] : [{ origin: 'policies', failure: this.#fault }];
    return {
      ready,
      missing: ready ? [] : this.#missing([...unusable, ...fault].map(({ failure }) => failure)),
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

  /** A version that does not parse leaves the last good one in force. */
  #applyResource(kind: PolicyKind, header: ObjectHeader, object: JsonObject): void {
    const origin = originOf(kind, header);
    const where = header.namespace === undefined ? 'cluster' : `namespace ${header.namespace}`;
    this.#resources.apply(origin, () => {
      try {
        return [parseResource({ ...object, apiVersion: groupVersion, kind }, where)];
      } catch (error) {
        const { code, message } = toFailure(error);
        this.#options.logger?.error({ origin, code }, `An object cannot be used: ${message}`);
        throw error;
      }
    });
  }

  #compile(): void {
    const isFirst = this.#snapshot === undefined;
    if (isFirst && !this.#isComplete()) return;
    const { trustFor, checkExpression, noMatch, logger } = this.#options;
    try {
      const support = { ...trustFor((name) => this.configMap(name)), checkExpression };
      const before = this.#snapshot;
      this.#snapshot = compilePolicies(this.#resources.resources(), support, noMatch);
      this.#fault = undefined;
      if (isFirst) logger?.info({ policies: this.#snapshot.policies.length }, 'The policies are in force');
      for (const sentence of newlyNotReady(before, this.#snapshot)) {
        logger?.warn(`What this guards is refused under its mode. ${sentence}`);
      }
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
    return this.#reflectors.every(({ isSynced }) => isSynced) && this.#resources.unusable().length === 0;
  }

  #missing(failures: readonly Failure[]): readonly string[] {
    const unlisted = this.#reflectors
      .filter(({ isSynced }) => !isSynced)
      .map(({ collection, failure }) => failure?.message ?? `The ${collection.name} are not listed yet.`);
    const missing = [...unlisted, ...failures.map(({ message }) => message)];
    return missing.length > 0 ? missing : ['The policies are being compiled.'];
  }
}

const originOf = (kind: PolicyKind, { name, namespace }: ObjectHeader): string =>
  namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
