import { failure, toFailure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { VerifiedEvidence } from '../policy/evidence.ts';
import type {
  ArtifactNeeds,
  ProvenEvidence,
  Rejection,
  VerificationRequest,
  Verifier,
} from '../verification/verification.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { ArtifactSource, Candidate, Clock, RegistryAccess, Subject } from './ports.ts';

/** Most signatures and attestations verified for one image: each costs CPU, and whoever may push can add some. */
const maxSignaturesPerImage = 256;
/** Most layers of one artifact that are fetched at once. */
const layerConcurrency = 8;

export interface VerifyPorts {
  readonly artifacts: ArtifactSource;
  readonly verifier: Verifier;
  readonly clock: Clock;
  /** One for the whole process. */
  readonly budget: ByteBudget;
}

/** What is asked of every candidate alike. */
type Asked = Pick<VerificationRequest, 'issuers' | 'assertions' | 'context' | 'keepStatements'>;

/** What a candidate is verified against. */
export interface Target {
  readonly subject: Subject;
  /** Digests that the signed content may name, that of the subject first. */
  readonly subjects: readonly Digest[];
  /** Verified signatures that stand for content which is not signed itself. */
  readonly vouchers?: readonly VerifiedEvidence[];
}

/** Fetches what verification needs of a candidate, within the bounds of one image, and verifies it. */
export class CandidateVerifier {
  readonly #ports: VerifyPorts;
  readonly #asked: Asked;
  readonly #access: RegistryAccess;
  /** Those under cosign's tags on an account of their own: referrers that anybody adds do not use it up. */
  readonly #signatures = { underTags: 0, listed: 0 };

  constructor(ports: VerifyPorts, asked: Asked, access: RegistryAccess) {
    this.#ports = ports;
    this.#asked = asked;
    this.#access = access;
  }

  needs({ manifest }: Candidate): ArtifactNeeds {
    return this.#ports.verifier.needs(manifest);
  }

  /**
   * What the candidate proves. Never throws: whatever stands against it is told to `reject`, and what was proven
   * beside it counts.
   */
  async verify(
    candidate: Candidate,
    target: Target,
    reject: (why: Rejection) => void,
  ): Promise<readonly ProvenEvidence[]> {
    try {
      const needs = this.needs(candidate);
      for (const why of needs.skipped) reject(why);
      const layers = [...needs.layers, ...((target.vouchers?.length ?? 0) > 0 ? needs.vouched : [])];
      if (layers.length === 0 && needs.vouched.length === 0) return [];
      const account = candidate.mechanism === 'CosignTag' ? 'underTags' : 'listed';
      this.#signatures[account] += layers.length;
      if (this.#signatures[account] > maxSignaturesPerImage) {
        const message = `More than ${maxSignaturesPerImage} signatures and attestations were found; the rest was not verified.`;
        reject(failure('TooManyReferrers', message));
        return [];
      }
      const bytes = layers.reduce((sum, { size }) => sum + size, 0);
      const release = await this.#ports.budget.reserve(bytes, this.#access.tenant, this.#access.signal);
      try {
        return await this.#verify(candidate, { ...needs, layers }, target, reject);
      } finally {
        release();
      }
    } catch (error) {
      reject(toFailure(error));
      return [];
    }
  }

  async #verify(
    candidate: Candidate,
    { layers: needed, subjectDocument }: ArtifactNeeds,
    { subject, subjects, vouchers }: Target,
    reject: (why: Rejection) => void,
  ): Promise<readonly ProvenEvidence[]> {
    const { artifacts, verifier, clock } = this.#ports;
    const layers = await this.#fetchLayers(candidate, needed, reject);
    const request: VerificationRequest = {
      artifact: { digest: candidate.digest, manifest: candidate.manifest },
      layers,
      subjects,
      ...(subjectDocument ? { subjectDocument: await artifacts.fetchDocument(subject, this.#access) } : {}),
      ...(vouchers === undefined ? {} : { vouchers }),
      ...this.#asked,
      nowMs: clock.nowMs(),
    };
    const { evidence, rejections } = await verifier.verify(request, this.#access);
    for (const rejection of rejections) reject(rejection);
    return evidence;
  }

  /** Layers that cannot be had are reported and left out; the others may still hold a good signature. */
  async #fetchLayers(
    candidate: Candidate,
    needed: readonly Descriptor[],
    reject: (why: Rejection) => void,
  ): Promise<Map<Digest, Uint8Array>> {
    const layers = new Map<Digest, Uint8Array>();
    for (let i = 0; i < needed.length; i += layerConcurrency) {
      await Promise.all(
        needed.slice(i, i + layerConcurrency).map(async (layer) => {
          try {
            layers.set(layer.digest, await candidate.fetchLayer(layer, this.#access));
          } catch (error) {
            reject(toFailure(error));
          }
        }),
      );
    }
    return layers;
  }
}
