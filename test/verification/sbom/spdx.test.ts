import { describe, expect, it } from 'vitest';
import { isSpdxPredicateType, parseSpdx } from '../../../src/verification/sbom/spdx.ts';

const document = {
  spdxVersion: 'SPDX-2.3',
  SPDXID: 'SPDXRef-DOCUMENT',
  name: 'app',
  creationInfo: { created: '2026-01-01T00:00:00Z' },
  packages: [{ name: 'libc' }],
};
const { packages, ...bare } = document;

describe('parseSpdx', () => {
  it.each([
    ['a document', document, '2.3'],
    ['SPDX 2.2', { ...document, spdxVersion: 'SPDX-2.2' }, '2.2'],
    ['a document without packages', bare, '2.3'],
    ['cosign wrapping text', { Data: JSON.stringify(document), Timestamp: '2026-01-01T00:00:00Z' }, '2.3'],
    ['cosign wrapping an object', { Data: document, Timestamp: '' }, '2.3'],
    ['a document as text', JSON.stringify({ ...document, packages }), '2.3'],
  ])('takes %s', (_what, predicate, version) => {
    expect(parseSpdx(predicate)).toEqual({ format: 'SPDX', version });
  });

  it.each([
    ['nothing', undefined, 'The SPDX document is not a JSON object.'],
    ['a list', [document], 'The SPDX document is not a JSON object.'],
    [
      'CycloneDX',
      { bomFormat: 'CycloneDX' },
      'The SPDX document has an spdxVersion other than SPDX-2.2 and SPDX-2.3.',
    ],
    [
      'SPDX 3',
      { ...document, spdxVersion: 'SPDX-3.0' },
      'The SPDX document has an spdxVersion other than SPDX-2.2 and SPDX-2.3.',
    ],
    [
      'a version with more behind',
      { ...document, spdxVersion: 'SPDX-2.3x' },
      'The SPDX document has an spdxVersion other than SPDX-2.2 and SPDX-2.3.',
    ],
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
      'tag-value text',
      'SPDXVersion: SPDX-2.3\n',
      'The SPDX document is tag-value text: attest its JSON form.',
    ],
    [
      'T26 a wrapped document with a repeated key',
      { Data: '{"name":"a","name":"b"}' },
      'The SPDX document has the key "name" twice in one object.',
    ],
  ])('refuses %s', (_what, predicate, message) => {
    expect(() => parseSpdx(predicate)).toThrow(
      expect.objectContaining({ code: 'PayloadInvalid', message }) as Error,
    );
  });
});

describe('isSpdxPredicateType', () => {
  it.each([
    'https://spdx.dev/Document',
    'https://spdx.dev/Document/v2.3',
    'https://spdx.dev/Document/v2.2.1',
  ])('takes %s', (type) => {
    expect(isSpdxPredicateType(type)).toBe(true);
  });

  it.each([
    'https://spdx.dev/Documents',
    'http://spdx.dev/Document',
    'https://spdx.dev/Document/v',
    'https://evil.example/https://spdx.dev/Document',
    'https://spdx.dev/Document\n',
  ])('T16 does not take %j', (type) => {
    expect(isSpdxPredicateType(type)).toBe(false);
  });
});
