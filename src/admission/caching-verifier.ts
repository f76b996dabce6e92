import { LRUCache } from 'lru-cache';
import type {
  ArtifactNeeds,
  VerificationOutcome,
  VerificationRequest,
  Verifier,
} from '../verification/verification.ts';
import type { Clock } from './ports.ts';

const maxEntries = 10_000;
/** An outcome that only proves counts this long, or until the earliest expiry it depends on. */
const provenTtlMs = 10 * 60_000;
/** A rejection may change with time alone (a certificate not yet valid), so an outcome that holds one is kept briefly. */
const rejectionTtlMs = 30_000;

interface Entry {
  readonly outcome: Promise<VerificationOutcome>;
  validUntilMs: number;
}

/**
 * Verifies the same artifact once, also when many ask at the same time. The key holds all that the outcome
 * depends on: artifact, subjects, and each issuer with its trust material; never a tag or an image string.
 */
export function createCachingVerifier(verifier: Verifier, clock: Clock): Verifier {
  const entries = new LRUCache<string, Entry>({ max: maxEntries });
  return {
    needs: (manifest) => verifier.needs(manifest),
    verify: (request) => {
      // Without all of its bytes an artifact is judged on what is there, and that is not kept.
      if (!isWhole(request, verifier.needs(request.artifact.manifest))) return verifier.verify(request);
      const key = cacheKey(request);
      const known = entries.get(key);
      if (known !== undefined && clock.nowMs() < known.validUntilMs) return known.outcome;
      const entry: Entry = { outcome: verifier.verify(request), validUntilMs: Infinity };
      entries.set(key, entry);
      entry.outcome.then(
        ({ evidence, rejections }) => {
          const ttlMs = evidence.length > 0 && rejections.length === 0 ? provenTtlMs : rejectionTtlMs;
          const expiries = evidence.map(({ validUntilMs = Infinity }) => validUntilMs);
          entry.validUntilMs = Math.min(request.nowMs + ttlMs, ...expiries);
        },
        () => {
          if (entries.peek(key) === entry) entries.delete(key);
        },
      );
      return entry.outcome;
    },
  };
}

function isWhole({ layers, subjectDocument }: VerificationRequest, needs: ArtifactNeeds): boolean {
  return (
    needs.layers.every(({ digest }) => layers.has(digest)) &&
    (!needs.subjectDocument || subjectDocument !== undefined)
  );
}

function cacheKey({ artifact, subjects, issuers }: VerificationRequest): string {
  return JSON.stringify([
    artifact.digest,
    subjects,
    issuers
      .map(({ name, fingerprint }) => [name, fingerprint])
      .sort((a, b) => String(a[0]).localeCompare(String(b[0]))),
  ]);
}
