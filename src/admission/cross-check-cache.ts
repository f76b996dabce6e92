import { webcrypto } from 'node:crypto';
import type { AssertionResult, VerifiedEvidence } from '../policy/evidence.ts';
import type {
  CrossCheckRequest,
  ProvenEvidence,
  VerificationCaller,
  Verifier,
} from '../verification/verification.ts';
import { MeteredCache } from './metered-cache.ts';
import type { CacheCounts } from './metered-cache.ts';
import type { Clock } from './ports.ts';
import { SharedWait } from './shared-wait.ts';
import { usedOf } from './used-context.ts';

/** Most results kept: each is a sentence. */
const maxEntries = 10_000;
/** A result counts this long, or until the earliest expiry of what it was made from. */
const resultTtlMs = 10 * 60_000;
/** One that was given up is kept briefly: it was dear to find out. */
const costlyTtlMs = 30_000;

interface Entry {
  readonly result: Promise<AssertionResult>;
  /** Of those who asked, until there is a result. */
  readonly wait?: SharedWait;
  readonly validUntilMs: number;
}

type KeyPart = (request: CrossCheckRequest) => unknown;

/** How each field enters the key. A field more does not compile without saying so, or why it does not. */
const keyParts: Readonly<Record<keyof CrossCheckRequest, KeyPart | `not: ${string}`>> = {
  checks: ({ checks }) => checks.map(({ expression, message }) => [expression, message]),
  uses: ({ uses }) => [...uses].sort(),
  context: ({ context, uses }) => usedOf(context, uses),
  signatures: ({ signatures, nowMs }) => signatures.filter(isCurrent(nowMs)).map(factOf).sort(),
  attestations: 'not: with the digests of their statements, which take time',
  nowMs: 'not: how long a result is kept stands for it',
};
const keyedParts = Object.values(keyParts).filter((part) => typeof part !== 'string');

/** Asks the same of the same evidence once. The key holds all that a result depends on, statements by their digests. */
export class CrossCheckCache {
  readonly #entries = new MeteredCache<Entry>('crossChecks', { maxEntries });
  readonly #digests = new WeakMap<Uint8Array, Promise<string>>();
  readonly #verifier: Verifier;
  readonly #clock: Clock;

  constructor(verifier: Verifier, clock: Clock) {
    this.#verifier = verifier;
    this.#clock = clock;
  }

  counts(): CacheCounts {
    return this.#entries.counts();
  }

  async crossCheck(request: CrossCheckRequest, caller?: VerificationCaller): Promise<AssertionResult> {
    const key = await this.#keyOf(request);
    const known = this.#entries.read(
      key,
      ({ validUntilMs, wait }) => this.#clock.nowMs() < validUntilMs && wait?.signal.aborted !== true,
    );
    if (known !== undefined) {
      known.wait?.join(caller?.signal);
      return known.result;
    }
    const wait = new SharedWait();
    wait.join(caller?.signal);
    const result = this.#verifier.crossCheck(request, { tenant: caller?.tenant ?? '', signal: wait.signal });
    const pending: Entry = { result, wait, validUntilMs: Infinity };
    this.#entries.set(key, pending);
    result.then(
      (settled) => {
        wait.end();
        if (this.#entries.peek(key) !== pending) return;
        const ttlMs = timeToLiveMs(settled, request);
        if (ttlMs <= 0) this.#entries.delete(key);
        else this.#entries.set(key, { result, validUntilMs: request.nowMs + ttlMs });
      },
      () => {
        wait.end();
        if (this.#entries.peek(key) === pending) this.#entries.delete(key);
      },
    );
    return result;
  }

  async #keyOf(request: CrossCheckRequest): Promise<string> {
    const attestations = request.attestations.filter(isCurrent(request.nowMs)).map(async (evidence) => {
      const { statement } = evidence;
      return JSON.stringify([
        factOf(evidence),
        statement === undefined ? null : await this.#digestOf(statement),
      ]);
    });
    const parts = keyedParts.map((part) => part(request));
    return JSON.stringify([...parts, (await Promise.all(attestations)).sort()]);
  }

  /** Off the main thread, and once for the same bytes. */
  #digestOf(statement: Uint8Array): Promise<string> {
    const known = this.#digests.get(statement);
    if (known !== undefined) return known;
    const digest = webcrypto.subtle
      .digest('SHA-256', new Uint8Array(statement))
      .then((hash) => Buffer.from(hash).toString('base64'));
    this.#digests.set(statement, digest);
    return digest;
  }
}

const isCurrent =
  (nowMs: number) =>
  ({ validUntilMs = Infinity }: VerifiedEvidence): boolean =>
    nowMs < validUntilMs;

/** All that expressions see of evidence beside its statement. */
const factOf = ({
  kind,
  issuer,
  signer,
  subject,
  format,
  predicateType,
  signedAtMs,
}: ProvenEvidence): string =>
  JSON.stringify([kind, issuer, signer, subject, format, predicateType, signedAtMs]);

function timeToLiveMs(
  result: AssertionResult,
  { signatures, attestations, nowMs }: CrossCheckRequest,
): number {
  const code = result.holds ? undefined : result.failure.code;
  // Nothing was looked at: the next who asks may be luckier.
  if (code === 'Overloaded' || code === 'DeadlineExceeded') return 0;
  const ttlMs = code === 'ExpressionTooCostly' || code === 'VerifierStopped' ? costlyTtlMs : resultTtlMs;
  return Math.min(
    ttlMs,
    ...[...signatures, ...attestations]
      .filter(isCurrent(nowMs))
      .map(({ validUntilMs = Infinity }) => validUntilMs - nowMs),
  );
}
