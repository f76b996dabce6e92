import { setImmediate } from 'node:timers/promises';
import { failureCatalogue } from '../failures/catalogue.ts';
import { failure, withCause } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { notationLayout } from '../verification/notation/notation-signature.ts';
import { holdsAsked, withoutAssertions } from '../verification/verification.ts';
import type { VerificationOutcome, VerificationRequest, Verifier } from '../verification/verification.ts';
import { createVerifier } from '../verification/verifier.ts';
import type { VerifierOptions } from '../verification/verifier.ts';
import { JobQueue } from './job-queue.ts';
import type { PoolLimits } from './job-queue.ts';
import type { Job } from './messages.ts';
import type { JobEnd } from './verifier-thread.ts';

/** Bytes of an artifact from which it is verified in a thread: below, verification takes less than a few milliseconds. */
const minThreadedBytes = 128 * 1024;

export interface VerifierPool extends Verifier {
  close(): Promise<void>;
}

/**
 * A verifier that keeps the event loop free: whatever evaluates expressions or reads a large document runs in a thread of
 * its own, bounded in time and memory; ordinary signatures stay here. What a thread does not answer is inconclusive.
 */
export function createVerifierPool(
  options: VerifierOptions = {},
  limits: Partial<PoolLimits> = {},
): VerifierPool {
  const inline = createVerifier(options);
  const queue = new JobQueue(limits);
  return {
    needs: (manifest) => inline.needs(manifest),
    verify: async (request, caller) => {
      const bytes = bytesOf(request);
      const asks = (request.assertions ?? []).length > 0;
      if (staysHere(request)) {
        // Many at once would hold up everything else: one in a turn.
        await setImmediate();
        return inline.verify(request);
      }
      if (bytes < minThreadedBytes) {
        // What anybody can push must not cost a thread: first whether there is anything to ask of.
        const proven = await inline.verify(withoutAssertions(request));
        if (!holdsAsked(proven, request)) return proven;
      }
      const end = await queue.run({ kind: 'verify', request }, bytes, caller);
      return 'answer' in end && end.answer.kind === 'verified'
        ? withCauses(end.answer)
        : { evidence: [], rejections: [whyNot(end, asks, queue.jobMs)] };
    },
    crossCheck: async (request, caller) => {
      const bytes = request.attestations.reduce(
        (sum, { statement }) => sum + (statement?.byteLength ?? 0),
        0,
      );
      const end = await queue.run({ kind: 'crossCheck', request } satisfies Job, bytes, caller);
      return 'answer' in end && end.answer.kind === 'crossChecked'
        ? end.answer.result
        : { holds: false, failure: whyNot(end, true, queue.jobMs) };
    },
    close: () => queue.close(),
  };
}

/** Certificates of Notation are looked up, which no thread can; its signatures are small, and nothing is asked of their content. */
const staysHere = ({ artifact: { manifest } }: VerificationRequest): boolean =>
  notationLayout.layers(manifest).length > 0;

function bytesOf({ layers, subjectDocument }: VerificationRequest): number {
  return [...layers.values()].reduce(
    (sum, { byteLength }) => sum + byteLength,
    subjectDocument?.byteLength ?? 0,
  );
}

function withCauses({
  outcome: { evidence, rejections },
  causes,
}: {
  readonly outcome: VerificationOutcome;
  readonly causes: readonly string[];
}): VerificationOutcome {
  const caused = rejections.map((rejection, i) => {
    const cause = causes[i] ?? '';
    return cause === '' ? rejection : withCause({ ...rejection }, new Error(cause));
  });
  return { evidence, rejections: caused };
}

/** Why there is no answer; never a word that lets anything pass. */
function whyNot(end: JobEnd | { readonly full: number }, asks: boolean, jobMs: number): Failure {
  if ('full' in end) return failure('Overloaded', `${end.full} verifications wait for a thread already.`);
  if ('answer' in end) return failure('InternalError', 'A thread answered what it was not asked.');
  switch (end.ended) {
    case 'timeout':
      return asks
        ? failure(
            'ExpressionTooCostly',
            `Verification with its expressions took longer than ${jobMs} ms of computing.`,
          )
        : failure('VerifierStopped', `Verification took longer than ${jobMs} ms of computing.`);
    case 'broken':
      return withCause(
        failure('VerifierStopped', 'The thread that verifies ended: it ran out of memory or broke down.'),
        end.cause,
      );
    case 'abandoned':
      return failure('DeadlineExceeded', failureCatalogue.DeadlineExceeded.summary);
    case 'closed':
      return failure('VerifierStopped', 'Verification was stopped: the process is ending.');
  }
}
