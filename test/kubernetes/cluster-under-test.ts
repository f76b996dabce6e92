import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigMapLookup, LiveSource } from '../../src/admission/live-source.ts';
import { failure } from '../../src/failures/failure.ts';
import { ApiClient } from '../../src/kubernetes/api-client.ts';
import { loadKubeConfig } from '../../src/kubernetes/kube-config.ts';
import type { ClusterOptions } from '../../src/kubernetes/open-cluster.ts';
import { openCluster } from '../../src/kubernetes/open-cluster.ts';
import type { WatchTiming } from '../../src/kubernetes/watch-timing.ts';
import type { IssuerTrust } from '../../src/policy/compile-issuer.ts';
import { trusting } from '../policy/sample-resources.ts';
import { FakeApiServer } from './fake-api-server.ts';
import type { FakeObject } from './fake-api-server.ts';

const trustFor = (configMaps: ConfigMapLookup): IssuerTrust => ({
  material: (reference) =>
    (reference.kind === 'configMap' ? configMaps(reference.name)?.[reference.key] : undefined) ??
    failure('TrustMaterialMissing', 'no such material'),
  check: () => undefined,
});

/** A fake API server, and sources opened against it; all closed together. */
export class ClusterUnderTest {
  readonly api: FakeApiServer;
  readonly #directory: string;
  readonly #sources: LiveSource[] = [];

  private constructor(api: FakeApiServer, directory: string) {
    this.api = api;
    this.#directory = directory;
  }

  static async start(tls?: { cert: string; key: string }): Promise<ClusterUnderTest> {
    const api = new FakeApiServer(tls);
    await api.listen();
    return new ClusterUnderTest(api, await mkdtemp(join(tmpdir(), 'refwarden-cluster-')));
  }

  async open(
    timing: Partial<WatchTiming> = {},
    options: Partial<ClusterOptions> = {},
    cluster: object = this.#cluster,
  ): Promise<LiveSource> {
    const source = await openCluster({
      kubeconfig: await this.kubeconfig(cluster),
      releaseNamespace: 'refwarden-system',
      trustFor,
      checkExpression: trusting.checkExpression,
      noMatch: 'Admit',
      timing: { minBackoffMs: 10, maxBackoffMs: 40, ...timing },
      ...options,
    });
    this.#sources.push(source);
    return source;
  }

  async client(): Promise<ApiClient> {
    return new ApiClient(loadKubeConfig(await this.kubeconfig()));
  }

  get #cluster(): object {
    return { server: `http://127.0.0.1:${this.api.port}`, 'insecure-skip-tls-verify': true };
  }

  async kubeconfig(cluster: object = this.#cluster): Promise<string> {
    const path = join(this.#directory, 'kubeconfig');
    const config = {
      clusters: [{ name: 'fake', cluster }],
      users: [{ name: 'me', user: { token: 'the-token' } }],
      contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'me' } }],
      'current-context': 'fake',
    };
    await writeFile(path, JSON.stringify(config));
    return path;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.close()));
    await this.api.stop();
    await rm(this.#directory, { recursive: true });
  }
}

export const issuer = (name: string, key: object = {}): FakeObject => ({
  metadata: { name },
  spec: { key: { pem: '-----BEGIN PUBLIC KEY-----', ...key } },
});

/** As the API server gives it: kind and version may be left out of list items. */
export const policy = (name: string, spec: object = {}, namespace?: string): FakeObject => ({
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  spec: { images: ['**'], require: [{ name: 'signed', signature: { issuers: ['release'] } }], ...spec },
});

export const policyNames = (source: LiveSource): string[] | undefined =>
  source
    .snapshot()
    ?.policies.map(({ name, namespace }) => (namespace === undefined ? name : `${namespace}/${name}`))
    .sort();
