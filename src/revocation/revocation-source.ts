import { createHash } from 'node:crypto';
import type { Clock } from '../admission/ports.ts';
import type { CacheCounts } from '../admission/metered-cache.ts';
import { RefwardenError } from '../failures/failure.ts';
import { BoundedFetch } from '../network/bounded-fetch.ts';
import type { HostRules } from '../network/bounded-fetch.ts';
import type { ResolveHost } from '../network/host-lookups.ts';
import {
  crlTimeoutMs,
  describeService,
  maxCrlBytes,
  maxOcspBytes,
  ocspTimeoutMs,
} from '../verification/revocation/revocation-source.ts';
import type { RevocationSource } from '../verification/revocation/revocation-source.ts';
import { AnswerCache } from './answer-cache.ts';

const miB = 1024 * 1024;
const bounds = {
  ocsp: { maxFlights: 64, maxBytes: 8 * miB },
  // Each may take 32 MiB.
  crl: { maxFlights: 8, maxBytes: 64 * miB },
} as const;

export interface RevocationSourceOptions {
  /** Which hosts the operator named, and how they are connected to. */
  readonly hosts: HostRules;
  readonly clock: Clock;
  readonly resolveHost?: ResolveHost;
  /** What one answer may take, milliseconds; by default as the Notary Project has it. */
  readonly timeoutsMs?: { readonly ocsp: number; readonly crl: number };
}

/** A source that keeps what it was told. */
export interface KeptRevocationSource extends RevocationSource {
  caches(): readonly CacheCounts[];
  close(): Promise<void>;
}

/**
 * Asks responders and fetches lists, each once at a time and within the bounds of the port. What fails is not asked again
 * for a while, so that a dead responder costs its seconds once and not in every review.
 */
export function createRevocationSource({
  hosts,
  clock,
  resolveHost,
  timeoutsMs = { ocsp: ocspTimeoutMs, crl: crlTimeoutMs },
}: RevocationSourceOptions): KeptRevocationSource {
  const network = new BoundedFetch(hosts, {}, resolveHost);
  const caches = {
    ocsp: new AnswerCache('ocspAnswers', bounds.ocsp, clock),
    crl: new AnswerCache('revocationLists', bounds.crl, clock),
  };
  return {
    ocsp: (url, request, signal) =>
      caches.ocsp.answer(keyOf(url, request), signal, () => {
        const headers = { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' };
        const limits = {
          maxBytes: maxOcspBytes,
          timeoutMs: timeoutsMs.ocsp,
          what: describeService('ocsp', url),
        };
        return fetchWhole(network, url, { method: 'POST', headers, body: request, ...limits });
      }),
    crl: (url, signal) =>
      caches.crl.answer(keyOf(url), signal, () => {
        const limits = {
          maxBytes: maxCrlBytes,
          timeoutMs: timeoutsMs.crl,
          what: describeService('crl', url),
        };
        return fetchWhole(network, url, { method: 'GET', ...limits });
      }),
    confirm: ({ url, request }, untilMs) => {
      const cache = request === undefined ? caches.crl : caches.ocsp;
      cache.confirm(keyOf(url, request), untilMs);
    },
    caches: () => [caches.ocsp.counts(), caches.crl.counts()],
    close: () => network.close(),
  };
}

async function fetchWhole(
  network: BoundedFetch,
  url: string,
  request: Parameters<BoundedFetch['fetch']>[1],
): Promise<Uint8Array> {
  const { status, body } = await network.fetch(url, request);
  if (status === 200) return body;
  throw new RefwardenError('RevocationUnknown', `${request.what}: the answer is HTTP ${status}.`);
}

function keyOf(url: string, request?: Uint8Array): string {
  const hash = request === undefined ? '' : createHash('sha256').update(request).digest('base64');
  return `${hash}\n${url}`;
}
