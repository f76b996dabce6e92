import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { demoPolicies } from '../../src/demo/policies.ts';
import api from '../../src/demo/samples/api.json' with { type: 'json' };
import multiArch from '../../src/demo/samples/multi-arch.json' with { type: 'json' };
import type { Sample } from '../../src/demo/sample.ts';

const directory = join(import.meta.dirname, '..', '..', 'manifests', 'samples');

describe('the sample policies', () => {
  it('are the same in manifests/samples and in the demo', () => {
    const written = readdirSync(directory)
      .flatMap((file) => parseAllDocuments(readFileSync(join(directory, file), 'utf8')))
      .map((document) => document.toJS() as { metadata: { name: string } });
    const byName = (resources: readonly object[]): object[] =>
      [...resources].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    expect(byName(written)).toEqual(byName(demoPolicies));
  });

  it.each<[string, Sample]>([
    ['shop/api', api],
    ['shop/multi-arch', multiArch],
  ])('trust the key that signed %s', (_, sample) => {
    const { key } =
      demoPolicies.map((resource) => (resource as IssuerShape).spec).find(({ key }) => key) ?? {};
    const layers = sample.manifests.flatMap(
      ({ content }) => (JSON.parse(content) as ManifestShape).layers ?? [],
    );
    const signed = layers.find(({ annotations }) => annotations !== undefined);
    const payload = sample.blobs.find(({ digest }) => digest === signed?.digest)?.text ?? '';
    const signature = Buffer.from(
      signed?.annotations?.['dev.cosignproject.cosign/signature'] ?? '',
      'base64',
    );
    expect(verify('sha256', Buffer.from(payload), key?.pem ?? '', signature)).toBe(true);
    expect(verify('sha256', Buffer.from(`${payload} `), key?.pem ?? '', signature)).toBe(false);
  });
});

interface IssuerShape {
  readonly spec: { readonly key?: { readonly pem: string } };
}

interface ManifestShape {
  readonly layers?: { readonly digest: string; readonly annotations?: Record<string, string> }[];
}

function nameOf(resource: object): string {
  return (resource as { metadata: { name: string } }).metadata.name;
}
