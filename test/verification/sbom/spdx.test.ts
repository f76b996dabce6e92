import { describe, expect, it } from 'vitest';
import { recogniseSbom } from '../../../src/verification/sbom/sbom-document.ts';

const spdxType = 'https://spdx.dev/Document';

const document = {
  spdxVersion: 'SPDX-2.3',
  SPDXID: 'SPDXRef-DOCUMENT',
  name: 'app',
  creationInfo: { created: '2026-01-01T00:00:00Z' },
  packages: [{ name: 'libc' }],
};
const { packages, ...bare } = document;

describe('an SPDX predicate', () => {
  it.each([
    ['a document', document, '2.3'],
    ['SPDX 2.2', { ...document, spdxVersion: 'SPDX-2.2' }, '2.2'],
    ['a document without packages', bare, '2.3'],
    ['cosign wrapping text', { Data: JSON.stringify(document), Timestamp: '2026-01-01T00:00:00Z' }, '2.3'],
    ['cosign wrapping an object', { Data: document, Timestamp: '' }, '2.3'],
    ['a document as text', JSON.stringify({ ...document, packages }), '2.3'],
  ])('takes %s', (_what, predicate, version) => {
    expect(recogniseSbom(spdxType, predicate)).toEqual({ format: 'SPDX', version });
  });

  it.each([
    ['nothing', undefined, 'The SPDX document is not a JSON object.'],
    ['a list', [document], 'The SPDX document is not a JSON object.'],
    ['CycloneDX', { bomFormat: 'CycloneDX' }, 'The SPDX document has no spdxVersion.'],
    [
      'another element',
      { ...document, SPDXID: 'SPDXRef-Package' },
      'The SPDX document has no SPDXID "SPDXRef-DOCUMENT".',
    ],
    ['no name', { ...document, name: null }, 'The SPDX document has no name.'],
    ['no time', { ...document, creationInfo: {} }, 'The SPDX document has no creationInfo.created.'],
    [
      'packages that are none',
      { ...document, packages: ['libc'] },
      'The SPDX document has packages that are not a list of objects.',
    ],
    [
      'T26 a wrapped document with a repeated key',
      { Data: '{"name":"a","name":"b"}' },
      'The SPDX document has the key "name" twice in one object.',
    ],
  ])('refuses %s', (_what, predicate, message) => {
    expect(() => recogniseSbom(spdxType, predicate)).toThrow(
      expect.objectContaining({ code: 'PayloadInvalid', message }) as Error,
    );
  });
});

const readable = 'Make it SPDX 2.2 or 2.3 JSON, or CycloneDX 1.2 to 1.7 JSON.';

describe('SPDX of a form that is not read', () => {
  it.each([
    ['SPDX-2.1', { ...document, spdxVersion: 'SPDX-2.1' }],
    ['SPDX-3.0', { ...document, spdxVersion: 'SPDX-3.0' }],
    ['SPDX-2.3x', { ...document, spdxVersion: 'SPDX-2.3x' }],
    ['SPDX-2.3\ufffd', { ...document, spdxVersion: 'SPDX-2.3\n' }],
    ['SPDX 3', { '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld', '@graph': [] }],
    ['SPDX as tag-value text', 'SPDXVersion: SPDX-2.3\n'],
    ['SPDX as XML', '<?xml version="1.0"?><Document/>'],
  ])('is refused by name: %s', (name, predicate) => {
    expect(() => recogniseSbom(spdxType, predicate)).toThrow(
      expect.objectContaining({
        code: 'FormatUnsupported',
        message: `The SBOM is ${name}. ${readable}`,
      }) as Error,
    );
  });
});

describe('the predicate type of SPDX', () => {
  it.each([spdxType, `${spdxType}/v2.3`, `${spdxType}/v2.2.1`])('is %s', (type) => {
    expect(recogniseSbom(type, document)).toEqual({ format: 'SPDX', version: '2.3' });
  });

  it.each([
    'https://spdx.dev/Documents',
    'http://spdx.dev/Document',
    'https://spdx.dev/Document/v',
    'https://evil.example/https://spdx.dev/Document',
    'https://spdx.dev/Document\n',
  ])('T16 is not %j', (type) => {
    expect(recogniseSbom(type, document)).toBeUndefined();
  });
});
