import { readdirSync, readFileSync } from 'node:fs';
import type { Sample } from '../../src/demo/sample.ts';
import { computeDigest } from '../../src/image/digest.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { parseDocument } from '../../src/oci/manifest.ts';
import type { Document } from '../../src/oci/manifest.ts';
import { sigstoreBundle } from '../../src/verification/sigstore/bundle.ts';
import { cosignAttestations } from '../../src/verification/sigstore/cosign-attestations.ts';
import { simpleSigning } from '../../src/verification/sigstore/simple-signing.ts';
import { madeDocuments, madePolicies, madeReviews } from './made-seeds.ts';

/** A signature layer with the descriptor that names it. */
export interface SeedLayer {
  readonly layer: Descriptor;
  readonly bytes: Uint8Array;
}

/** What real tools wrote, by the parser that reads it; in a fixed order, so that a seed repeats a run. */
export interface Corpus {
  readonly documents: readonly Uint8Array[];
  readonly bundles: readonly SeedLayer[];
  readonly envelopes: readonly SeedLayer[];
  readonly simpleSignings: readonly SeedLayer[];
  readonly statements: readonly Uint8Array[];
  readonly predicates: readonly Uint8Array[];
  /** Files of a policy directory, one object or several in each. */
  readonly policies: readonly Uint8Array[];
  readonly reviews: readonly Uint8Array[];
  readonly trustedRoots: readonly Uint8Array[];
}

export const forms = {
  bundles: sigstoreBundle,
  envelopes: cosignAttestations,
  simpleSignings: simpleSigning,
};

const fixtures = new URL('../fixtures/', import.meta.url);
const samples = new URL('../../src/demo/samples/', import.meta.url);
const policySamples = new URL('../../manifests/samples/', import.meta.url);

export function readCorpus(): Corpus {
  const blobs = new Map(
    [...fixtureFiles(), ...sampleContents()].map((bytes) => [computeDigest(bytes), bytes]),
  );
  const documents = [...blobs.values()].flatMap((bytes) => {
    const document = readDocument(bytes);
    return document === undefined ? [] : [{ bytes, document }];
  });
  const layersOf = (form: (typeof forms)[keyof typeof forms]): SeedLayer[] =>
    documents.flatMap(({ document }) => {
      const layers = document.kind === 'manifest' ? form.layers(document) : [];
      return layers.flatMap((layer) => {
        const bytes = blobs.get(layer.digest);
        return bytes === undefined ? [] : [{ layer, bytes }];
      });
    });
  const bundles = layersOf(forms.bundles);
  const envelopes = layersOf(forms.envelopes);
  return {
    documents: [...documents.map(({ bytes }) => bytes), ...madeDocuments.map(encode)],
    bundles,
    envelopes,
    simpleSignings: layersOf(forms.simpleSignings),
    statements: [...bundles, ...envelopes].flatMap(({ bytes }) => payloadOf(bytes)),
    predicates: ['predicates', 'sboms'].flatMap((directory) =>
      readdirSync(new URL(`${directory}/`, fixtures))
        .toSorted()
        .map((name) => readBytes(new URL(`${directory}/${name}`, fixtures))),
    ),
    policies: policyFiles(),
    reviews: madeReviews.map(encode),
    trustedRoots: [readBytes(new URL('cosign/trust/trusted-root.json', fixtures))],
  };
}

const readBytes = (file: URL): Uint8Array => new Uint8Array(readFileSync(file));

function fixtureFiles(): Uint8Array[] {
  return ['cosign', 'attested'].flatMap((set) =>
    readdirSync(new URL(`${set}/`, fixtures), { recursive: true, encoding: 'utf8' })
      .toSorted()
      .filter((path) => /(?:\/blobs\/sha256\/[0-9a-f]{64}|\/index\.json)$/.test(path))
      .map((path) => readBytes(new URL(`${set}/${path}`, fixtures))),
  );
}

function sampleContents(): Uint8Array[] {
  return readdirSync(samples)
    .toSorted()
    .filter((name) => name !== 'policies.json')
    .flatMap((name) => {
      const { manifests, blobs } = JSON.parse(readFileSync(new URL(name, samples), 'utf8')) as Sample;
      return [...manifests.map(({ content }) => content), ...blobs.map(({ text }) => text)];
    })
    .map((text) => new TextEncoder().encode(text));
}

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

function policyFiles(): Uint8Array[] {
  const objects = JSON.parse(readFileSync(new URL('policies.json', samples), 'utf8')) as unknown[];
  const yaml = readdirSync(policySamples)
    .toSorted()
    .map((name) => readBytes(new URL(name, policySamples)));
  return [...[...objects, ...madePolicies].map(encode), ...yaml];
}

function readDocument(bytes: Uint8Array): Document | undefined {
  try {
    return parseDocument(bytes, undefined, 'seed');
  } catch {
    return undefined;
  }
}

/** The statement within a DSSE envelope, or within a bundle's. */
function payloadOf(bytes: Uint8Array): Uint8Array[] {
  const json = JSON.parse(Buffer.from(bytes).toString()) as {
    payload?: string;
    dsseEnvelope?: { payload?: string };
  };
  const payload = json.payload ?? json.dsseEnvelope?.payload;
  return payload === undefined ? [] : [new Uint8Array(Buffer.from(payload, 'base64'))];
}
