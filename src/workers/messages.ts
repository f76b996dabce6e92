import { joinInTurns } from '../image/bytes-in-turns.ts';
import type { Digest } from '../image/digest.ts';
import type { AssertionResult } from '../policy/evidence.ts';
import type {
  CrossCheckRequest,
  ProvenEvidence,
  VerificationOutcome,
  VerificationRequest,
} from '../verification/verification.ts';

/** What a thread is asked: plain data, all of it. */
export type Job =
  | { readonly kind: 'verify'; readonly request: VerificationRequest }
  | { readonly kind: 'crossCheck'; readonly request: CrossCheckRequest };

/** What a thread says; `ready` once, before its first job. */
export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'verified'; readonly outcome: VerificationOutcome; readonly causes: readonly string[] }
  | { readonly kind: 'crossChecked'; readonly result: AssertionResult };

/** A message, and the bytes that move with it instead of being copied. */
export interface Parcel<Message> {
  readonly message: Message;
  readonly transfer: readonly ArrayBuffer[];
}

/** The job with bytes of its own: those of the request are shared with caches, and often lie in a pool among others. */
export async function packJob(job: Job): Promise<Parcel<Job>> {
  const packer = new Packer();
  switch (job.kind) {
    case 'verify': {
      const { layers, subjectDocument, ...request } = job.request;
      const copied = new Map<Digest, Uint8Array>();
      for (const [digest, bytes] of layers) copied.set(digest, await packer.copy(bytes));
      const copies = {
        layers: copied,
        ...(subjectDocument === undefined ? {} : { subjectDocument: await packer.copy(subjectDocument) }),
      };
      return { message: { kind: 'verify', request: { ...request, ...copies } }, transfer: packer.buffers };
    }
    case 'crossCheck': {
      const attestations = await packer.evidence(job.request.attestations);
      return {
        message: { kind: 'crossCheck', request: { ...job.request, attestations } },
        transfer: packer.buffers,
      };
    }
  }
}

/** Causes are kept apart: no clone carries what is not enumerable. */
export async function packOutcome(outcome: VerificationOutcome): Promise<Parcel<Answer>> {
  const packer = new Packer();
  const evidence = await packer.evidence(outcome.evidence);
  const causes = outcome.rejections.map(({ cause }) => (cause === undefined ? '' : describe(cause)));
  return {
    message: { kind: 'verified', outcome: { evidence, rejections: outcome.rejections }, causes },
    transfer: packer.buffers,
  };
}

/** Longest description of a cause, in characters. */
const maxCauseLength = 2000;
const describe = (cause: unknown): string =>
  (cause instanceof Error ? (cause.stack ?? cause.message) : 'not an error').slice(0, maxCauseLength);

/** Copies each array of bytes once, exactly, and in turns: a server packs. */
class Packer {
  readonly #copies = new Map<Uint8Array, Uint8Array<ArrayBuffer>>();

  get buffers(): ArrayBuffer[] {
    return [...this.#copies.values()].map(({ buffer }) => buffer);
  }

  async copy(bytes: Uint8Array): Promise<Uint8Array> {
    const copy = this.#copies.get(bytes) ?? (await joinInTurns([bytes]));
    this.#copies.set(bytes, copy);
    return copy;
  }

  async evidence(items: readonly ProvenEvidence[]): Promise<ProvenEvidence[]> {
    const packed: ProvenEvidence[] = [];
    for (const item of items) {
      const { statement } = item;
      packed.push(statement === undefined ? item : { ...item, statement: await this.copy(statement) });
    }
    return packed;
  }
}
