import { ByteBudget } from '../../src/admission/byte-budget.ts';
import { decide } from '../../src/admission/decide.ts';
import type { DecisionOptions, DecisionPorts } from '../../src/admission/decide.ts';
import { anonymous } from '../../src/admission/ports.ts';
import type {
  ArtifactSource,
  Candidate,
  DiscoveryEnd,
  IndexHints,
  ParentEvent,
  ParentIndex,
  ReferrerEvent,
  RegistryAccess,
  ResolvedImage,
  Subject,
  UnusableReferrer,
  Wanted,
} from '../../src/admission/ports.ts';
import type { Verdict } from '../../src/admission/verdict.ts';
import type { Workload, WorkloadImage } from '../../src/admission/workload.ts';
import type { FailureCode } from '../../src/failures/catalogue.ts';
import { failure } from '../../src/failures/failure.ts';
import type { Digest } from '../../src/image/digest.ts';
import { computeDigest } from '../../src/image/digest.ts';
import { formatImageReference } from '../../src/image/reference.ts';
import type { ImageReference, Repository } from '../../src/image/reference.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import type { Document, Index, Manifest } from '../../src/oci/manifest.ts';
import { ociIndex, ociManifest } from '../../src/oci/media-types.ts';
import type { VerifiedEvidence } from '../../src/policy/evidence.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import type { Rejection, VerificationOutcome, Verifier } from '../../src/verification/verification.ts';
import { digestOf, image } from '../policy/sample-evidence.ts';
import { clusterPolicy, compile, keyIssuer, signedBy } from '../policy/sample-resources.ts';

export const startMs = Date.parse('2026-06-01T12:00:00Z');
export const imageText = 'ghcr.io/acme/app:1.4';

/** A policy `prod` that asks every image for a signature by `acme`. */
export const signedPolicy = (spec: Record<string, unknown> = {}): PolicySnapshot =>
  compile([
    keyIssuer('acme'),
    keyIssuer('b'),
    clusterPolicy('prod', { require: [signedBy('acme')], ...spec }),
  ]);

export const plainType = 'application/vnd.refwarden.test.plain+json';

/** What a plain artifact says, in place of a signature; {@link plainVerifier} believes it. */
export interface PlainContent {
  readonly evidence?: readonly VerifiedEvidence[];
  readonly rejections?: readonly Rejection[];
}

const descriptorOf = (mediaType: string, bytes: Uint8Array): Descriptor => ({
  mediaType,
  digest: computeDigest(bytes),
  size: bytes.length,
  annotations: {},
});

export const evidenceBy = (issuer: string, change: Partial<VerifiedEvidence> = {}): VerifiedEvidence => ({
  kind: 'signature',
  issuer,
  signer: { kind: 'key', keyFingerprint: digestOf(`key of ${issuer}`) },
  subject: image,
  format: 'CosignSimpleSigning',
  ...change,
});

/** An artifact whose layers each hold a {@link PlainContent}. */
export function candidate(name: string, ...contents: PlainContent[]): Candidate {
  const layers = contents.map((content) => new TextEncoder().encode(JSON.stringify(content)));
  const descriptors = layers.map((bytes) => descriptorOf(plainType, bytes));
  const manifest: Manifest = {
    kind: 'manifest',
    mediaType: ociManifest,
    config: descriptorOf('application/vnd.oci.empty.v1+json', new Uint8Array()),
    layers: descriptors,
    annotations: {},
    references: [],
  };
  return {
    kind: 'candidate',
    mechanism: 'Referrers',
    repository: { registry: 'ghcr.io', repository: 'acme/app' },
    digest: digestOf(name),
    manifest,
    sizeBytes: 1,
    proved: () => undefined,
    fetchLayer: (layer) => {
      const bytes = layers[descriptors.findIndex(({ digest }) => digest === layer.digest)];
      return bytes === undefined ? Promise.reject(new Error('no such layer')) : Promise.resolve(bytes);
    },
  };
}

export const signed = (name = 'signature', issuer = 'acme'): Candidate =>
  candidate(name, { evidence: [evidenceBy(issuer)] });
export const unusable = (code: FailureCode, message = `${code} it is.`): UnusableReferrer => ({
  kind: 'unusable',
  mechanism: 'Referrers',
  digest: digestOf(code),
  failure: failure(code, message),
});
export const end = (change: Partial<DiscoveryEnd> = {}): DiscoveryEnd => ({
  kind: 'end',
  complete: true,
  failures: [],
  listingAgeMs: 0,
  ...change,
});
export const parent = (name: string): ParentIndex => ({
  kind: 'parent',
  mechanism: 'References',
  digest: digestOf(name),
  index: {
    kind: 'index',
    mediaType: ociIndex,
    annotations: {},
    references: [],
    manifests: [{ mediaType: ociManifest, digest: image, size: 1, annotations: {} }],
  },
});

type Events<T> = Iterable<T> | AsyncIterable<T>;

export interface Script {
  readonly resolve?: (image: ImageReference, access: RegistryAccess) => Promise<ResolvedImage>;
  readonly referrers?: (subject: Subject, wanted: Wanted, access: RegistryAccess) => Events<ReferrerEvent>;
  readonly parents?: (subject: Subject, access: RegistryAccess) => Events<ParentEvent>;
  readonly attestationsIn?: (index: Index, child: Subject) => Events<ReferrerEvent>;
  readonly fetchParsed?: (subject: Subject) => Promise<Document>;
  readonly fetchDocument?: (subject: Subject) => Promise<Uint8Array>;
}

/** A registry of a script: without one every image is found and nothing refers to it. Notes what it is asked. */
export class ScriptedSource implements ArtifactSource {
  readonly resolved: string[] = [];
  readonly listed: {
    readonly digest: Digest;
    readonly wanted: Wanted;
    readonly maxListingAgeMs: number | undefined;
    readonly elsewhere: readonly Repository[];
  }[] = [];
  readonly walked: Digest[] = [];
  readonly hinted: IndexHints[] = [];
  readonly documents: Digest[] = [];
  /** Events that were handed over, so that a test sees where the reading stopped. */
  handedOver = 0;
  readonly #script: Script;

  constructor(script: Script = {}) {
    this.#script = script;
  }

  resolve(reference: ImageReference, access: RegistryAccess): Promise<ResolvedImage> {
    this.resolved.push(formatImageReference(reference));
    return (
      this.#script.resolve?.(reference, access) ?? Promise.resolve({ digest: reference.digest ?? image })
    );
  }

  referrers(
    subject: Subject,
    wanted: Wanted,
    access: RegistryAccess,
    elsewhere: readonly Repository[] = [],
  ): AsyncIterable<readonly ReferrerEvent[]> {
    const { maxListingAgeMs } = access;
    this.listed.push({ digest: subject.digest, wanted, maxListingAgeMs, elsewhere });
    return this.#hand(this.#script.referrers?.(subject, wanted, access) ?? [end()]);
  }

  parents(
    subject: Subject,
    hints: IndexHints,
    access: RegistryAccess,
  ): AsyncIterable<readonly ParentEvent[]> {
    this.walked.push(subject.digest);
    this.hinted.push(hints);
    return this.#hand(this.#script.parents?.(subject, access) ?? [end()]);
  }

  attestationsIn(index: Index, child: Subject): AsyncIterable<readonly ReferrerEvent[]> {
    return this.#hand(this.#script.attestationsIn?.(index, child) ?? [end()]);
  }

  fetchParsed(subject: Subject): Promise<Document> {
    return this.#script.fetchParsed?.(subject) ?? Promise.reject(new Error('no document in the script'));
  }

  fetchDocument(subject: Subject): Promise<Uint8Array> {
    this.documents.push(subject.digest);
    return this.#script.fetchDocument?.(subject) ?? Promise.reject(new Error('no document in the script'));
  }

  async *#hand<T>(events: Events<T>): AsyncGenerator<readonly T[]> {
    for await (const event of events) {
      this.handedOver++;
      yield [event];
    }
  }
}

/** Believes plain artifacts, of the subjects and issuers that it is asked for. */
export const plainVerifier: Verifier = {
  needs: ({ layers }) => ({
    layers: layers.filter(({ mediaType }) => mediaType === plainType),
    vouched: [],
    subjectDocument: false,
    skipped: [],
  }),
  verify: ({ layers, subjects, issuers }): Promise<VerificationOutcome> => {
    const contents = [...layers.values()].map(
      (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as PlainContent,
    );
    const evidence = contents
      .flatMap((content) => content.evidence ?? [])
      .filter(
        ({ subject, issuer }) => subjects.includes(subject) && issuers.some(({ name }) => name === issuer),
      );
    return Promise.resolve({ evidence, rejections: contents.flatMap((content) => content.rejections ?? []) });
  },
  crossCheck: () => Promise.reject(new Error('Plain artifacts are not cross-checked.')),
};

export const pod = (images: readonly string[], change: Partial<Workload> = {}): Workload => ({
  kind: 'Pod',
  namespace: 'shop',
  name: 'app',
  isTemplate: false,
  dryRun: false,
  images: images.map((text, i): WorkloadImage => ({
    image: text,
    fields: [{ path: `spec.containers[${i}].image`, name: `c${i}`, role: 'container' }],
  })),
  ...change,
});

export interface Decision {
  readonly source?: ArtifactSource;
  readonly policies?: PolicySnapshot | undefined;
  readonly verifier?: Verifier;
  readonly labels?: DecisionPorts['namespaces']['labels'];
  readonly credentials?: DecisionPorts['credentials'];
  readonly budget?: ByteBudget;
  readonly nowMs?: () => number;
  readonly recorded?: Verdict[];
}

export function portsOf(decision: Decision): DecisionPorts {
  const policies = 'policies' in decision ? decision.policies : signedPolicy();
  return {
    artifacts: decision.source ?? new ScriptedSource(),
    verifier: decision.verifier ?? plainVerifier,
    clock: { nowMs: decision.nowMs ?? (() => startMs) },
    budget: decision.budget ?? new ByteBudget(),
    policies: { snapshot: () => policies },
    namespaces: { labels: decision.labels ?? (() => Promise.resolve({})) },
    credentials: decision.credentials ?? { credentialsFor: () => Promise.resolve(anonymous) },
    recorder: { record: (verdict) => void decision.recorded?.push(verdict) },
  };
}

/** Decides on a pod of one image, or on the workload given. */
export function decideOn(
  decision: Decision,
  workload: Workload = pod([imageText]),
  options: Partial<DecisionOptions> = {},
): Promise<Verdict> {
  return decide(workload, portsOf(decision), {
    signal: new AbortController().signal,
    ...options,
  });
}

/** `outcome code blocks` of each check, image by image. */
export const outcomes = (verdict: Verdict): string[] =>
  verdict.images.flatMap(({ checks }) =>
    checks.map(({ outcome, code, blocks }) => `${outcome} ${code ?? '-'}${blocks ? ' blocks' : ''}`),
  );
