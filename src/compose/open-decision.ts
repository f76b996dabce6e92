import { ByteBudget } from '../admission/byte-budget.ts';
import { createCachingVerifier } from '../admission/caching-verifier.ts';
import type { DecisionPorts } from '../admission/decide.ts';
import type { LiveSource } from '../admission/live-source.ts';
import type { CacheCounts } from '../admission/metered-cache.ts';
import type { VerdictRecorder } from '../admission/ports.ts';
import type { PullSecrets } from '../kubernetes/pull-secrets.ts';
import { createArtifactSource } from '../referrers/artifact-source.ts';
import type { DiskCache } from '../registry/disk-cache.ts';
import { pullCredentials } from '../registry/pull-credentials.ts';
import { createRevocationSource } from '../revocation/revocation-source.ts';
import { createVerifierPool } from '../workers/verifier-pool.ts';
import type { Contents } from './open-contents.ts';
import { clock } from './system-clock.ts';

/** A way to decide, what it remembers, and what has to be closed after it. */
interface OpenDecision {
  readonly ports: DecisionPorts;
  readonly caches: () => readonly CacheCounts[];
  readonly disk: DiskCache | undefined;
  readonly close: () => Promise<void>;
}

/** The decision over one source of policies. */
export function openDecision(
  source: LiveSource,
  { store, credentials, hosts, disk, close: closeContents }: Contents,
  recorder: VerdictRecorder,
  pullSecrets?: PullSecrets,
): OpenDecision {
  const artifacts = createArtifactSource(store);
  const revocation = createRevocationSource({ hosts, clock });
  const pool = createVerifierPool({ revocation });
  const verifier = createCachingVerifier(pool, clock);
  return {
    ports: {
      artifacts,
      verifier,
      clock,
      budget: new ByteBudget(),
      recorder,
      policies: source,
      namespaces: source,
      credentials: {
        credentialsFor: async (workload) =>
          pullSecrets === undefined
            ? credentials
            : pullCredentials(await pullSecrets.find(workload), credentials),
      },
    },
    caches: () => [
      ...artifacts.caches(),
      ...verifier.caches(),
      ...revocation.caches(),
      ...(disk === undefined ? [] : [disk.counts()]),
    ],
    disk,
    close: async () => {
      await Promise.all([artifacts.close(), source.close(), pool.close(), revocation.close()]);
      await pullSecrets?.close();
      await closeContents();
    },
  };
}
