import type { BaseLogger } from 'pino';
import type { Clock } from '../admission/ports.ts';
import { noCertificates, renewCertificates } from '../certificates/renew-certificates.ts';
import type { CertificateTimes, KeptCertificates } from '../certificates/renew-certificates.ts';
import { toFailure } from '../failures/failure.ts';
import { isJsonObject } from '../oci/strict-json.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import type { ApiClient } from './api-client.ts';
import { secretCollection } from './collection.ts';
import { textsOf } from './kube-object.ts';
import type { Lease } from './lease.ts';
import { NamedObject } from './named-object.ts';
import { ProblemLog } from './problem-log.ts';
import { Reflector } from './reflector.ts';
import { Waker } from './waker.ts';
import type { WatchTiming } from './watch-timing.ts';

export interface CertificateKeeperOptions {
  readonly api: ApiClient;
  readonly lease: Pick<Lease, 'isHeld'>;
  /** The Secret, of type `kubernetes.io/tls`, with the authorities as `ca.crt` and `ca.key` beside. */
  readonly secret: { readonly namespace: string; readonly name: string };
  /** What the certificate is for: DNS names and IP addresses. */
  readonly hosts: readonly string[];
  /** Takes what the Secret says into use; throws when it cannot be served. */
  readonly use: (kept: KeptCertificates) => void;
  readonly times: CertificateTimes;
  readonly clock: Clock;
  readonly timing: WatchTiming;
  readonly logger: BaseLogger;
}

const secretFields = {
  authorities: 'ca.crt',
  authorityKey: 'ca.key',
  certificate: 'tls.crt',
  key: 'tls.key',
} as const satisfies Record<keyof KeptCertificates, string>;

/** Keeps authority and serving certificate in a Secret: the holder of the lease writes, every replica follows. */
export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  readonly #secret: NamedObject;
  readonly #reflector: Reflector;
  readonly #waker: Waker;
  readonly #closing = new AbortController();
  readonly #problems: ProblemLog;
  /** The Secret as it stands; undefined when there is none. */
  #found: JsonObject | undefined;
  /** What is in use; a Secret that somebody deletes is written again as it was. */
  #inUse: KeptCertificates | undefined;

  constructor(options: CertificateKeeperOptions) {
    this.#options = options;
    this.#problems = new ProblemLog(options.logger, 'The certificates cannot be kept');
    const { api, secret, timing, logger } = options;
    const collection = secretCollection(secret.namespace, secret.name);
    this.#secret = new NamedObject(api, collection);
    this.#waker = new Waker(() => this.#renew());
    this.#reflector = new Reflector({
      api,
      collection,
      timing,
      logger,
      sink: {
        put: (_header, object) => {
          this.#take(object);
          this.#waker.wake();
        },
        remove: () => {
          this.#found = undefined;
          this.#waker.wake();
        },
        synced: () => {
          this.#waker.wake();
        },
      },
    });
  }

  /** PEM of every authority that clients are to trust; undefined before there is a certificate to serve. */
  get authorities(): string | undefined {
    return this.#inUse?.authorities;
  }

  /** It is known what the Secret says, or that there is none. */
  get isRead(): boolean {
    return this.#reflector.isSynced;
  }

  /** What was tried last did not succeed. */
  get isFailing(): boolean {
    return this.#problems.isFailing;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#reflector.close();
    await this.#waker.close();
  }

  #take(object: JsonObject): void {
    const { use, logger, secret } = this.#options;
    this.#found = object;
    const kept = readSecret(object);
    try {
      use(kept);
      this.#inUse = kept;
    } catch (cause) {
      const { code, message } = toFailure(cause);
      logger.error({ cause, code }, `Secret ${secret.name} holds nothing to serve with: ${message}`);
    }
  }

  async #renew(): Promise<void> {
    const { lease, hosts, clock, times, logger, secret } = this.#options;
    const { signal } = this.#closing;
    if (!lease.isHeld || !this.#reflector.isSynced) return;
    try {
      const found = this.#found;
      const current = found === undefined ? (this.#inUse ?? noCertificates) : readSecret(found);
      const renewal = await renewCertificates(current, hosts, clock.nowMs(), times);
      if (renewal !== undefined || found === undefined) {
        const wanted = writeSecret(renewal?.kept ?? current, found, secret);
        const written = await this.#secret.write(wanted, signal);
        // Else somebody was faster, and the watch tells of it.
        if (written !== undefined) {
          const reason = renewal?.reason ?? 'It was deleted, and was written again as it was.';
          logger.info(`Secret ${secret.name}: ${reason}`);
          this.#take(written);
        }
      }
      this.#problems.succeeded();
    } catch (cause) {
      if (!signal.aborted) this.#problems.failed(cause);
    }
  }
}

function readSecret(object: JsonObject): KeptCertificates {
  const data = textsOf(object, 'data');
  const read = (field: keyof KeptCertificates): string =>
    Buffer.from(data[secretFields[field]] ?? '', 'base64').toString('utf8');
  return {
    authorities: read('authorities'),
    authorityKey: read('authorityKey'),
    certificate: read('certificate'),
    key: read('key'),
  };
}

function writeSecret(
  kept: KeptCertificates,
  found: JsonObject | undefined,
  { namespace, name }: CertificateKeeperOptions['secret'],
): JsonObject {
  const fields = Object.entries(secretFields) as [keyof KeptCertificates, string][];
  const own = { name, namespace, labels: { 'app.kubernetes.io/name': 'refwarden' } };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: found?.['type'] ?? 'kubernetes.io/tls',
    metadata: isJsonObject(found?.['metadata']) ? found['metadata'] : own,
    data: Object.fromEntries(
      fields.map(([field, key]) => [key, Buffer.from(kept[field]).toString('base64')]),
    ),
  };
}
