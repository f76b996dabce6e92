import { parseDigest } from '../../src/image/digest.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { inlinedContent } from '../../src/oci/inlined-content.ts';
import { parseEntries } from '../../src/oci/listing.ts';
import { isRunnableChild, parseDocument, refersTo } from '../../src/oci/manifest.ts';
import type { Manifest } from '../../src/oci/manifest.ts';
import { formatPlatform, mayRunOn, parsePlatform } from '../../src/oci/platform.ts';
import { parseStrictJson } from '../../src/oci/strict-json.ts';
import { parseStatement } from '../../src/verification/attestation/in-toto-statement.ts';
import { bareForms } from '../../src/verification/bare-forms.ts';
import { readClaimedSignatures } from '../../src/verification/claimed-signatures.ts';
import { viewOf } from '../../src/verification/attestation/predicate-views.ts';
import { sbomReaders } from '../../src/verification/sbom/sbom-document.ts';
import type { SignedClaim } from '../../src/verification/sigstore/sigstore-form.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import { clusterTargets } from './cluster-targets.ts';
import { forms } from './corpus.ts';
import type { Corpus, SeedLayer } from './corpus.ts';
import { checkFailure, observe } from './observe.ts';
import { checkSecondReading } from './second-reading.ts';
import type { Target } from './target.ts';

const maxEntries = 100;
const subject = parseDigest(`sha256:${'ab'.repeat(32)}`);
const contentTypes = [
  undefined,
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json; charset=utf-8',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'text/html',
  ';',
];

export function fuzzTargets(corpus: Corpus): readonly Target[] {
  const { documents, statements, predicates } = corpus;
  const plain = (
    name: string,
    seeds: readonly Uint8Array[],
    read: (bytes: Uint8Array) => unknown,
  ): Target => ({
    name,
    seeds,
    run: (bytes) => observe(() => read(bytes)),
  });
  return [
    {
      name: 'manifest',
      seeds: documents,
      run: (bytes, choice) => observe(() => readDocument(bytes, choice, corpus)),
    },
    {
      name: 'listing',
      seeds: documents,
      run: (bytes, choice) => observe(() => readListing(bytes, choice)),
    },
    layerTarget('bundle', 'SigstoreBundle', forms.bundles, corpus.bundles),
    layerTarget('envelope', 'DsseEnvelope', forms.envelopes, corpus.envelopes),
    layerTarget('simple signing', 'CosignSimpleSigning', forms.simpleSignings, corpus.simpleSignings),
    plain('statement', statements, (bytes) => parseStatement('application/vnd.in-toto+json', bytes)),
    plain('views of statements', statements, readViews),
    plain('SBOM', predicates, readSboms),
    ...clusterTargets(corpus),
  ];
}

/** Every view of what a statement says: a view or a named failure, and never one that lost a finding on the way. */
function readViews(bytes: Uint8Array): unknown {
  const { predicateType = '', predicate, flaw } = parseStatement('application/vnd.in-toto+json', bytes);
  if (flaw !== undefined) checkFailure(flaw);
  const vulnerabilities = viewOf('vulnerabilities', predicateType, predicate);
  if ('view' in vulnerabilities) {
    const { critical, high, medium, low, negligible, unknown, findings } = vulnerabilities.view;
    if (critical + high + medium + low + negligible + unknown !== findings.length)
      throw new Error('the counts are not those of the findings');
  }
  const others = (['sbom', 'provenance', 'vex'] as const).map((root) =>
    viewOf(root, predicateType, predicate),
  );
  for (const result of [vulnerabilities, ...others]) if ('failure' in result) checkFailure(result.failure);
  return [vulnerabilities, others];
}

/** The document as of each format: recognised when its attestation is verified, and then viewed. */
function readSboms(bytes: Uint8Array): unknown {
  const document = parseStrictJson(bytes, 'The predicate');
  return Object.values(sbomReaders).map(({ predicateType }) => {
    const result = viewOf('sbom', predicateType, document);
    if ('failure' in result) checkFailure(result.failure);
    return result;
  });
}

/** The document, all that is asked of it, and the signatures that its annotations carry. */
function readDocument(bytes: Uint8Array, choice: number, corpus: Corpus): unknown {
  const document = parseDocument(bytes, contentTypes[choice % contentTypes.length], 'D');
  checkSecondReading(bytes, document);
  const entries =
    document.kind === 'index' ? document.manifests : [document.config ?? [], document.layers].flat();
  for (const { digest } of entries) parseDigest(digest);
  const facts = [refersTo(document, subject), entries.map(isRunnableChild), entries.map(platformOf)];
  const inlined = entries.slice(0, 3).map((entry) => observe(() => inlinedContent(entry)));
  return [document, facts, inlined, document.kind === 'index' ? [] : readLayers(document, choice, corpus)];
}

/** What every form makes of the manifest's layers, with content of other artifacts in them. */
function readLayers(manifest: Manifest, choice: number, corpus: Corpus): unknown {
  const payload = corpus.simpleSignings[choice % corpus.simpleSignings.length]?.bytes ?? new Uint8Array();
  const legacy = [forms.simpleSignings, forms.envelopes].flatMap((form) =>
    form
      .layers(manifest)
      .slice(0, 3)
      .map((layer) => observe(() => readClaims(form.parseLayer(payload, layer, {})))),
  );
  const content = [...corpus.statements, ...corpus.predicates];
  const bare = Object.values(bareForms).flatMap((form) => [
    form.refusal(manifest),
    ...form
      .layers(manifest)
      .slice(0, 3)
      .map((layer) =>
        observe(() => form.readClaim(content[choice % content.length] ?? payload, layer, manifest)),
      ),
  ]);
  return [createVerifier().needs(manifest), legacy, bare];
}

/** A platform that is named is found again by its name. */
function platformOf({ platform }: Descriptor): string | undefined {
  if (platform === undefined) return undefined;
  const name = formatPlatform(platform);
  const parsed = parsePlatform(name);
  if (parsed !== undefined && !mayRunOn(parsed, platform))
    throw new Error(`${name} is not the platform that it names`);
  return name;
}

const listingKeys = [['manifests'], ['referrers', 'references'], ['subject', 'layers', 'manifests']];

function readListing(bytes: Uint8Array, choice: number): unknown {
  const keys = listingKeys[choice % listingKeys.length];
  const listed = parseEntries(parseStrictJson(bytes, 'L'), 'L', maxEntries, keys);
  if (listed === undefined) return undefined;
  if (listed.entries.length + listed.malformed.length > maxEntries + 1)
    throw new Error('more entries than the bound');
  listed.malformed.forEach(checkFailure);
  return [listed, listed.entries.slice(0, 3).map((entry) => observe(() => inlinedContent(entry)))];
}

function layerTarget(
  name: string,
  format: Parameters<typeof readClaimedSignatures>[0],
  form: (typeof forms)[keyof typeof forms],
  seeds: readonly SeedLayer[],
): Target {
  return {
    name,
    seeds: seeds.map(({ bytes }) => bytes),
    run: (bytes, choice) => {
      const layer = seeds[choice % seeds.length]?.layer;
      if (layer === undefined) throw new Error(`no seeds for ${name}`);
      const document = choice % 2 === 0 ? undefined : seeds[0]?.bytes;
      const signed = { digest: subject, ...(document === undefined ? {} : { document }) };
      const shown = readClaimedSignatures(format, bytes, layer, signed);
      for (const { flaw } of shown) if (flaw !== undefined) checkFailure(flaw);
      return observe(() => [readClaims(form.parseLayer(bytes, layer, signed)), shown]);
    },
  };
}

function readClaims(claims: readonly SignedClaim[]): unknown {
  return claims.map(({ entity, readClaim }) => {
    const claim = readClaim();
    if (claim.flaw !== undefined) checkFailure(claim.flaw);
    return [entity.signature.length, entity.logEntries.length, claim];
  });
}
