import { createHash } from 'node:crypto';
import type { FailureCode } from '../failures/catalogue.ts';
import type { ResolvedIssuer } from '../policy/resolved-issuer.ts';
import { CrossCheckCache } from './cross-check-cache.ts';
import { holdsAsked, withoutAssertions } from '../verification/verification.ts';
import type {
  ArtifactNeeds,
  ProvenEvidence,
  VerificationCaller,
  VerificationOutcome,
  VerificationRequest,
  Verifier,
} from '../verification/verification.ts';
import { SharedWait } from './shared-wait.ts';
import { usedOf } from './used-context.ts';
import { MeteredCache } from './metered-cache.ts';
import type { CacheCounts } from './metered-cache.ts';
import type { Clock } from './ports.ts';

/** Most memory of all entries, in bytes, by the estimate of {@link entryBytes}. */
const maxCacheBytes = 32 * 1024 * 1024;
/** What an entry takes beside its text: key, promise, and the cache's own. */
const entryOverheadBytes = 1024;
/** What one evidence or rejection takes beside its text: objects, and the error that a rejection keeps for the log. */
const itemOverheadBytes = 2048;
/** An outcome that only proves counts this long, or until the earliest expiry it depends on. */
const provenTtlMs = 10 * 60_000;
/** A rejection may change with time alone (a certificate not yet valid), so an outcome that holds one is kept briefly. */
const rejectionTtlMs = 30_000;

interface Entry {
  readonly outcome: Promise<VerificationOutcome>;
  /** Of those who asked, until there is an outcome. */
  readonly wait?: SharedWait;
  readonly validUntilMs: number;
  readonly sizeBytes: number;
}

/** A verifier that remembers, and what its cache did. */
export interface CachingVerifier extends Verifier {
  caches(): readonly CacheCounts[];
}

type KeyPart = (request: VerificationRequest, issuersKey: IssuersKey) => unknown;
type IssuersKey = (issuers: readonly ResolvedIssuer[]) => string;

/** How each field enters the key. A field more does not compile without saying so, or why it does not. */
const keyParts: Readonly<Record<keyof VerificationRequest, KeyPart | `not: ${string}`>> = {
  artifact: ({ artifact }) => artifact.digest,
  subjects: ({ subjects }) => subjects,
  issuers: ({ issuers }, issuersKey) => issuersKey(issuers),
  vouchers: ({ vouchers }) => vouchersKey(vouchers),
  assertions: ({ assertions = [] }) => assertions.map(({ fingerprint }) => fingerprint).sort(),
  context: (request) => usedContext(request),
  keepStatements: ({ keepStatements = false }) => keepStatements,
  layers: 'not: the artifact names each by its digest, and only outcomes with all of them are kept',
  subjectDocument: 'not: the first subject is its digest, and only outcomes with it are kept',
  nowMs: 'not: how long an outcome is kept stands for it',
};
const usedContext = ({ assertions = [], context }: VerificationRequest): readonly unknown[] =>
  usedOf(
    context,
    assertions.flatMap(({ uses }) => uses),
  );
const keyedParts = Object.values(keyParts).filter((part) => typeof part !== 'string');

/**
 * Verifies the same artifact once, also when many ask at the same time. The key holds all that the outcome
 * depends on: artifact, subjects, vouchers, and each issuer with its trust material; never a tag or an image string.
 */
export function createCachingVerifier(verifier: Verifier, clock: Clock): CachingVerifier {
  const entries = new MeteredCache<Entry>('evidence', {
    maxBytes: maxCacheBytes,
    sizeOf: ({ sizeBytes }) => sizeBytes,
  });
  const issuersKey = rememberedIssuersKey();
  const crossChecks = new CrossCheckCache(verifier, clock);
  const verify = async (
    request: VerificationRequest,
    caller?: VerificationCaller,
  ): Promise<VerificationOutcome> => {
    // Without all of its bytes an artifact is judged on what is there, and that is not kept.
    if (!isWhole(request, verifier.needs(request.artifact.manifest))) return verifier.verify(request, caller);
    if (usedContext(request).length > 0) {
      // Every workload asks anew then: what proves nothing that is asked of is found out once for all of them.
      const proven = await verify(withoutAssertions(request), caller);
      if (!holdsAsked(proven, request)) return proven;
    }
    const key = JSON.stringify(keyedParts.map((part) => part(request, issuersKey)));
    const known = entries.read(
      key,
      ({ validUntilMs, wait }) => clock.nowMs() < validUntilMs && wait?.signal.aborted !== true,
    );
    if (known !== undefined) {
      known.wait?.join(caller?.signal);
      return known.outcome;
    }
    const wait = new SharedWait();
    wait.join(caller?.signal);
    const outcome = verifier.verify(request, { tenant: caller?.tenant ?? '', signal: wait.signal });
    const pending: Entry = { outcome, wait, validUntilMs: Infinity, sizeBytes: entryOverheadBytes };
    entries.set(key, pending);
    outcome.then(
      (settled) => {
        wait.end();
        if (entries.peek(key) !== pending) return;
        if (isOfTheMoment(settled)) {
          entries.delete(key);
          return;
        }
        // What is larger than the whole cache is not kept at all.
        entries.set(key, {
          outcome,
          validUntilMs: request.nowMs + timeToLiveMs(settled, request),
          sizeBytes: entryBytes(key, settled),
        });
      },
      () => {
        wait.end();
        if (entries.peek(key) === pending) entries.delete(key);
      },
    );
    return outcome;
  };
  return {
    caches: () => [entries.counts(), crossChecks.counts()],
    crossCheck: (request, caller) => crossChecks.crossCheck(request, caller),
    needs: (manifest) => verifier.needs(manifest),
    verify,
  };
}

function timeToLiveMs(
  { evidence, rejections }: VerificationOutcome,
  { vouchers = [], nowMs }: VerificationRequest,
): number {
  const isProven = evidence.length > 0 && rejections.length === 0 && !evidence.some(isTooCostly);
  const ttlMs = isProven ? provenTtlMs : rejectionTtlMs;
  return Math.min(
    ttlMs,
    ...[...evidence, ...vouchers].map(({ validUntilMs = Infinity }) => validUntilMs - nowMs),
  );
}

/** Whether something was given up that a quieter hour, or a larger limit, might have answered. */
const isTooCostly = ({ assertions = {} }: ProvenEvidence): boolean =>
  Object.values(assertions).some((result) => !result.holds && result.failure.code === 'ExpressionTooCostly');

const momentaryCodes: readonly FailureCode[] = ['Overloaded', 'DeadlineExceeded'];

/** Nothing was looked at: the next who asks may be luckier. */
const isOfTheMoment = ({ rejections }: VerificationOutcome): boolean =>
  rejections.some(({ code }) => momentaryCodes.includes(code));

/** An estimate: two bytes a character, as strings take at most; statements that evidence shares count once. */
function entryBytes(key: string, { evidence, rejections }: VerificationOutcome): number {
  const said = evidence.map(({ statement: _, ...item }) => item);
  const characters = key.length + JSON.stringify([said, rejections]).length;
  const statements = new Set(evidence.flatMap(({ statement }) => statement ?? []));
  const statementBytes = [...statements].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  const items = evidence.length + rejections.length;
  return entryOverheadBytes + items * itemOverheadBytes + 2 * characters + statementBytes;
}

function isWhole(
  { layers, vouchers = [], subjectDocument }: VerificationRequest,
  needs: ArtifactNeeds,
): boolean {
  const needed = vouchers.length === 0 ? needs.layers : [...needs.layers, ...needs.vouched];
  return (
    needed.every(({ digest }) => layers.has(digest)) &&
    (!needs.subjectDocument || subjectDocument !== undefined)
  );
}

/** In any order; only what an outcome depends on, so that a voucher found by another path is the same one. */
function vouchersKey(vouchers: VerificationRequest['vouchers'] = []): readonly string[] {
  return vouchers
    .map(({ kind, issuer, signer, subject, signedAtMs, timeSource, validUntilMs, tolerated }) =>
      JSON.stringify([kind, issuer, signer, subject, signedAtMs, timeSource, validUntilMs, tolerated]),
    )
    .sort();
}

/** Names and fingerprints in any order, as one hash: computed once for all that is verified against the same list. */
function rememberedIssuersKey(): IssuersKey {
  const known = new WeakMap<readonly ResolvedIssuer[], string>();
  return (issuers) => {
    const remembered = known.get(issuers);
    if (remembered !== undefined) return remembered;
    const each = issuers.map(({ name, fingerprint }) => JSON.stringify([name, fingerprint])).sort();
    const key = createHash('sha256').update(JSON.stringify(each)).digest('base64');
    known.set(issuers, key);
    return key;
  };
}
