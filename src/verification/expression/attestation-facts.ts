import { RefwardenError } from '../../failures/failure.ts';
import type { Digest } from '../../image/digest.ts';
import { computeDigest } from '../../image/digest.ts';
import { parseStrictJson } from '../../oci/strict-json.ts';
import type { VerifiedEvidence } from '../../policy/evidence.ts';
import { inTotoMediaType, maxStatementValues, parseStatement } from '../attestation/in-toto-statement.ts';
import { viewOf } from '../attestation/predicate-views.ts';
import type { PredicateViews, ViewResult, ViewRoot } from '../attestation/predicate-views.ts';
import { viewRoots } from './bindings.ts';
import type { Attested } from './bindings.ts';
import { signatureFact } from './signature-fact.ts';
import type { SignatureFact } from './signature-fact.ts';
import type { ProvenEvidence } from '../verification.ts';

/** Most attestations that one cross-check reads, and most bytes of them together. */
const maxAttestations = 64;
const maxStatementBytes = 64 * 1024 * 1024;

/** What expressions see of a verified attestation beside its predicate type, predicate and views. */
export interface AttestationFact extends SignatureFact, Partial<PredicateViews> {
  readonly predicateType: string;
  readonly predicate?: Attested['predicate'];
}

export interface ReadAttestation {
  /** Of its statement: attestations that several issuers accepted share it. */
  readonly digest: Digest;
  readonly fact: () => AttestationFact;
  readonly view: <Root extends ViewRoot>(root: Root) => ViewResult<PredicateViews[Root]>;
}

/** How the bytes of each format are read. */
const contents: Readonly<Record<VerifiedEvidence['format'], 'statement' | 'document' | 'none'>> = {
  CosignSimpleSigning: 'none',
  SigstoreBundle: 'statement',
  DsseEnvelope: 'statement',
  NotationSignature: 'none',
  BareStatement: 'statement',
  BareSbom: 'document',
};

/**
 * Attestations by the digests of their statements, each parsed once and looked into when asked.
 * @throws RefwardenError `ExpressionTooCostly` for too many; `PayloadInvalid` for what verification did not see.
 */
export function readAttestations(attestations: readonly ProvenEvidence[]): readonly ReadAttestation[] {
  const statements = new Set(attestations.flatMap(({ statement }) => statement ?? []));
  const bytes = [...statements].reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (attestations.length > maxAttestations || bytes > maxStatementBytes) {
    throw new RefwardenError(
      'ExpressionTooCostly',
      `${attestations.length} attestations of ${bytes} bytes were found; crossChecks read ${maxAttestations} of ${maxStatementBytes} bytes.`,
    );
  }
  const digests = new Map([...statements].map((statement) => [statement, computeDigest(statement)]));
  const parsed = new Map<string, Pick<ReadAttestation, 'view'> & Attested>();
  return attestations
    .flatMap((evidence) => {
      const digest = evidence.statement && digests.get(evidence.statement);
      return digest === undefined
        ? []
        : [{ evidence, digest, key: `${digest} ${JSON.stringify(signatureFact(evidence))}` }];
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ evidence, digest }) => {
      const { view, predicateType, predicate } = remember(parsed, `${evidence.format} ${digest}`, () =>
        lookInto(parse(evidence)),
      );
      return {
        digest,
        view,
        fact: () => ({
          ...signatureFact(evidence),
          predicateType,
          ...(predicate === undefined ? {} : { predicate }),
          ...Object.fromEntries(
            viewRoots.flatMap((root) => {
              const found = view(root);
              return 'view' in found ? [[root, found.view]] : [];
            }),
          ),
        }),
      };
    });
}

function parse({ format, predicateType = '', statement = new Uint8Array() }: ProvenEvidence): Attested {
  switch (contents[format]) {
    case 'statement': {
      const claim = parseStatement(inTotoMediaType, statement);
      return { predicateType: claim.predicateType ?? '', predicate: claim.predicate };
    }
    case 'document':
      return {
        predicateType,
        predicate: parseStrictJson(statement, 'The document', 'PayloadInvalid', maxStatementValues),
      };
    case 'none':
      throw new RefwardenError('PayloadInvalid', `${format} carries no attestation.`);
  }
}

function lookInto(attested: Attested): Pick<ReadAttestation, 'view'> & Attested {
  const views = new Map<ViewRoot, ReturnType<typeof viewOf>>();
  return {
    ...attested,
    view: <Root extends ViewRoot>(root: Root) => {
      const result = remember(views, root, () => viewOf(root, attested.predicateType, attested.predicate));
      return result as ViewResult<PredicateViews[Root]>;
    },
  };
}

function remember<Key, Value>(known: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}
