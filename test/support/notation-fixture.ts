import { readFileSync } from 'node:fs';
import { RefwardenError } from '../../src/failures/failure.ts';
import { computeDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import type { NotationIssuer, TrustStoreMaterial } from '../../src/policy/resolved-issuer.ts';
import type { RevocationSource } from '../../src/verification/revocation/revocation-source.ts';
import type { VerificationRequest } from '../../src/verification/verification.ts';
import { layerRequest } from './signed-layer.ts';

const root = new URL('../fixtures/notation/', import.meta.url);

/** One envelope of test/fixtures/notation/cases.json; paths are within that directory. */
export interface NotationCase {
  readonly name: string;
  readonly what: string;
  readonly envelope: string;
  readonly mediaType: string;
  readonly target: string;
  readonly issuer: Pick<NotationIssuer, 'level' | 'trustedIdentities'> &
    Partial<Pick<NotationIssuer, 'override' | 'verifyTimestamp'>> & {
      readonly trustStores: readonly TrustStoreMaterial[];
    };
  /** Files by the URL that serves them. */
  readonly revocation?: Readonly<Record<string, string>>;
  /** `accepted`, or the code of the failure. */
  readonly expected: string;
  readonly notationGo: { readonly verdict: 'accepted' | 'refused'; readonly error?: string };
  /** Why notation-go says otherwise. */
  readonly difference?: string;
}

interface NotationCases {
  readonly nowMs: number;
  readonly cases: readonly NotationCase[];
}

export const readNotationCases = (): NotationCases =>
  JSON.parse(readFileSync(new URL('cases.json', root), 'utf8')) as NotationCases;

const readNotationFile = (path: string): Buffer => readFileSync(new URL(path, root));

function notationIssuer({ issuer }: NotationCase): NotationIssuer {
  return {
    kind: 'notation',
    name: 'acme',
    fingerprint: JSON.stringify(issuer),
    override: {},
    verifyTimestamp: 'always',
    ...issuer,
    trustStores: issuer.trustStores.map((store) => ({
      ...store,
      certificates: readNotationFile(store.certificates).toString(),
    })),
  };
}

export function notationTarget({ target }: Pick<NotationCase, 'target'>): { digest: Digest; bytes: Buffer } {
  const bytes = readNotationFile(`targets/${target}.json`);
  return { digest: computeDigest(bytes), bytes };
}

export function notationRequest(fixture: NotationCase, nowMs: number): VerificationRequest {
  const target = notationTarget(fixture);
  const issuer = notationIssuer(fixture);
  const request = layerRequest(readNotationFile(fixture.envelope), fixture.mediaType, target.digest, [
    issuer,
  ]);
  const manifest = { ...request.artifact.manifest, artifactType: 'application/vnd.cncf.notary.signature' };
  return { ...request, artifact: { ...request.artifact, manifest }, subjectDocument: target.bytes, nowMs };
}

/** Answers what the case has a file for; anything else is down. */
export function notationRevocation({ revocation = {} }: NotationCase): RevocationSource {
  const answer = (url: string): Promise<Uint8Array> => {
    const file = revocation[url];
    return file === undefined
      ? Promise.reject(new RefwardenError('RevocationUnknown', 'The host does not answer.'))
      : Promise.resolve(readNotationFile(file));
  };
  return { ocsp: answer, crl: answer, confirm: () => undefined };
}
