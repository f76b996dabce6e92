import type { Readable } from 'node:stream';
import type { BaseLogger } from 'pino';
import { parseAdmissionReview } from '../admission/admission-review.ts';
import type { AdmissionRequest } from '../admission/admission-review.ts';
import type { ReviewAnswer } from '../admission/answer.ts';
import { FairPlaces } from '../admission/fair-places.ts';
import { failureCatalogue } from '../failures/catalogue.ts';
import type { FailureCode } from '../failures/catalogue.ts';
import { failure, RefwardenError, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { RequestBodies } from './request-body.ts';
import { reviewDeadline } from './review-deadline.ts';
import { encodeReviewResponse } from './review-response.ts';

/**
 * Decides one review. `signal` ends when the answer is due or the caller is gone; the review then answers at once
 * with what it knows, otherwise the server answers for it.
 */
export type Review = (
  request: AdmissionRequest,
  options: { readonly signal: AbortSignal },
) => Promise<ReviewAnswer>;

export interface ReviewEndpointOptions {
  /** Largest body, bytes. */
  readonly maxBodyBytes: number;
  /** Largest sum of the bodies being read or judged, bytes. */
  readonly maxHeldBytes: number;
  /** Of all namespaces; one alone may have half. */
  readonly maxRunningReviews: number;
  /** Told of every request that the server refused itself, with no verdict. */
  readonly refused: (code: FailureCode) => void;
  readonly log: BaseLogger;
}

/** What arrives at the path of a review. */
export interface ReviewCall {
  /** What the path stands for. */
  readonly review: Review;
  readonly body: Readable;
  /** Of the caller. */
  readonly address: string;
  /** The raw `timeout` of the query. */
  readonly timeout: unknown;
  /** Ends when the caller has closed the connection. */
  readonly callerGone: AbortSignal;
}

/** From the body of a webhook call to the body of its answer. Whatever goes wrong in between is a denial. */
export class ReviewEndpoint {
  readonly #options: ReviewEndpointOptions;
  readonly #bodies: RequestBodies;
  /** Reviews and their bytes by namespace: those of one that wait for a registry leave room for all others. */
  readonly #running: FairPlaces;
  readonly #judgedBytes: FairPlaces;

  constructor(options: ReviewEndpointOptions) {
    this.#options = options;
    this.#running = new FairPlaces(options.maxRunningReviews);
    this.#judgedBytes = new FairPlaces(options.maxHeldBytes);
    this.#bodies = new RequestBodies({ maxBytes: options.maxBodyBytes, maxHeldBytes: options.maxHeldBytes });
  }

  /**
   * @returns the encoded AdmissionReview.
   * @throws RefwardenError when there is no review to answer: `ReviewInvalid`, `ReviewTooLarge`, `Overloaded`.
   */
  async answer(call: ReviewCall): Promise<string> {
    const arrivedAtMs = performance.now();
    const body = await this.#bodies.read(call.body, call.address);
    try {
      const request = parseAdmissionReview(body.bytes);
      const leave = this.#enter(request.namespace, body.bytes.byteLength);
      if (leave === undefined)
        return encodeReviewResponse(request.uid, this.#refuse(catalogued('Overloaded')));
      try {
        return encodeReviewResponse(request.uid, await this.#judge(request, call, arrivedAtMs));
      } finally {
        leave();
      }
    } finally {
      body.release();
    }
  }

  /** @returns ends the stay; undefined when the namespace has as much under way as it may. */
  #enter(namespace: string, bytes: number): (() => void) | undefined {
    const leave = this.#running.take(namespace);
    const release = leave === undefined ? undefined : this.#judgedBytes.take(namespace, bytes);
    if (leave === undefined || release === undefined) {
      leave?.();
      return undefined;
    }
    return () => {
      leave();
      release();
    };
  }

  async #judge(request: AdmissionRequest, call: ReviewCall, arrivedAtMs: number): Promise<ReviewAnswer> {
    const deadline = reviewDeadline(call.timeout);
    const elapsedMs = performance.now() - arrivedAtMs;
    const ending = new AbortController();
    const overdue = Promise.withResolvers<ReviewAnswer>();
    const endReview = (): void => {
      ending.abort(new RefwardenError('DeadlineExceeded', failureCatalogue.DeadlineExceeded.summary));
    };
    const abortTimer = setTimeout(endReview, deadline.abortMs - elapsedMs);
    const answerTimer = setTimeout(() => {
      overdue.resolve(this.#refuse(catalogued('DeadlineExceeded')));
    }, deadline.answerMs - elapsedMs);
    call.callerGone.addEventListener('abort', endReview, { once: true });
    try {
      return await Promise.race([call.review(request, { signal: ending.signal }), overdue.promise]);
    } catch (cause) {
      this.#options.log.error({ cause, uid: request.uid }, 'A review failed and was denied');
      return this.#refuse(toFailure(cause));
    } finally {
      clearTimeout(abortTimer);
      clearTimeout(answerTimer);
    }
  }

  #refuse(reason: Failure): ReviewAnswer {
    this.#options.refused(reason.code);
    return {
      allowed: false,
      message: `${reason.code}: ${reason.message}`,
      warnings: [],
      auditAnnotations: {},
    };
  }
}

function catalogued(code: FailureCode): Failure {
  const { summary, remedy } = failureCatalogue[code];
  return failure(code, `${summary} ${remedy}`);
}
