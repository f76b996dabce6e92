import { describe, expect, it } from 'vitest';
import { recogniseSbom } from '../../../src/verification/sbom/sbom-document.ts';

const cyclonedxType = 'https://cyclonedx.org/bom';
const document = { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 };
const readable = 'Make it SPDX 2.2 or 2.3 JSON, or CycloneDX 1.2 to 1.7 JSON.';

describe('a CycloneDX predicate', () => {
  it.each(['1.2', '1.3', '1.4', '1.5', '1.6', '1.7'])('is of version %s', (specVersion) => {
    expect(recogniseSbom(cyclonedxType, { ...document, specVersion })).toEqual({
      format: 'CycloneDX',
      version: specVersion,
    });
  });

  it.each([
    ['as an object', document],
    ['as text', JSON.stringify(document)],
  ])('is taken out of what old versions of cosign wrapped it in, %s', (_how, Data) => {
    const wrapped = { Data, Timestamp: '2026-01-01T00:00:00Z' };
    expect(recogniseSbom(cyclonedxType, wrapped)).toEqual({ format: 'CycloneDX', version: '1.6' });
  });

  it('T26 that is one itself is not unwrapped', () => {
    const Data = { ...document, specVersion: '1.2' };
    expect(recogniseSbom(cyclonedxType, { ...document, Data })).toMatchObject({ version: '1.6' });
  });

  it.each([
    ['nothing', undefined, 'The CycloneDX document is not a JSON object.'],
    ['a list', [document], 'The CycloneDX document is not a JSON object.'],
    ['SPDX', { spdxVersion: 'SPDX-2.3' }, 'The CycloneDX document has no bomFormat "CycloneDX".'],
    [
      'T26 a bomFormat in another case',
      { ...document, bomFormat: 'cyclonedx' },
      'The CycloneDX document has no bomFormat "CycloneDX".',
    ],
    ['no version', { bomFormat: 'CycloneDX' }, 'The CycloneDX document has no specVersion.'],
    [
      'a version that is a number',
      { ...document, specVersion: 1.6 },
      'The CycloneDX document has no specVersion.',
    ],
    [
      'components that are none',
      { ...document, components: [1] },
      'The CycloneDX document has components that are not a list of objects.',
    ],
    [
      'T26 a wrapped document with a repeated key',
      { Data: '{"bomFormat":"a","bomFormat":"b"}' },
      'The CycloneDX document has the key "bomFormat" twice in one object.',
    ],
  ])('refuses %s', (_what, predicate, message) => {
    expect(() => recogniseSbom(cyclonedxType, predicate)).toThrow(
      expect.objectContaining({ code: 'PayloadInvalid', message }) as Error,
    );
  });
});

describe('CycloneDX of a form that is not read', () => {
  it.each([
    ['CycloneDX 1.0', { ...document, specVersion: '1.0' }],
    ['CycloneDX 1.1', { ...document, specVersion: '1.1' }],
    ['CycloneDX 1.8', { ...document, specVersion: '1.8' }],
    ['CycloneDX 2.0', { ...document, specVersion: '2.0' }],
    ['CycloneDX 1.60', { ...document, specVersion: '1.60' }],
    ['CycloneDX \ufffd[2J1.6', { ...document, specVersion: '\u001b[2J1.6' }],
    ['CycloneDX as XML', '<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>'],
    ['CycloneDX as no JSON', '\u0000protobuf'],
  ])('is refused by name: %s', (name, predicate) => {
    expect(() => recogniseSbom(cyclonedxType, predicate)).toThrow(
      expect.objectContaining({
        code: 'FormatUnsupported',
        message: `The SBOM is ${name}. ${readable}`,
      }) as Error,
    );
  });

  it("is not taken for one when it is Syft's own", () => {
    expect(() => recogniseSbom('https://syft.dev/bom', {})).toThrow(
      expect.objectContaining({
        code: 'FormatUnsupported',
        message: `The SBOM is Syft's own JSON. ${readable}`,
      }) as Error,
    );
  });
});

describe('the predicate type of CycloneDX', () => {
  it.each([cyclonedxType, `${cyclonedxType}/v1.4`, `${cyclonedxType}/v1`])('is %s', (type) => {
    expect(recogniseSbom(type, document)).toEqual({ format: 'CycloneDX', version: '1.6' });
  });

  it.each([
    'https://cyclonedx.org/boms',
    'https://CycloneDX.org/bom',
    'https://cyclonedx.org/bom/1.4',
    'https://cyclonedx.org/bom/v1.4/x',
    'https://cyclonedx.org/bom\n',
  ])('T16 is not %j', (type) => {
    expect(recogniseSbom(type, document)).toBeUndefined();
  });
});
