import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/oci/strict-json.ts';
import {
  maxVexProducts,
  maxVexStatements,
  readOpenVex,
} from '../../../src/verification/attestation/openvex.ts';

const vexType = 'https://openvex.dev/ns';
const document = (statements: Json, fields: JsonObject = {}): JsonObject => ({
  '@context': 'https://openvex.dev/ns/v0.2.0',
  author: 'Acme',
  timestamp: '2026-01-01T00:00:00Z',
  statements,
  ...fields,
});
const statement = { vulnerability: { name: 'CVE-1' }, products: [{ '@id': 'pkg:oci/app' }], status: 'fixed' };
const said = {
  vulnerability: 'CVE-1',
  products: ['pkg:oci/app'],
  subcomponents: [],
  justification: '',
  timestamp: '2026-01-01T00:00:00Z',
};

describe('readOpenVex', () => {
  it.each([
    ['not_affected', 'notAffected'],
    ['affected', 'affected'],
    ['fixed', 'fixed'],
    ['under_investigation', 'underInvestigation'],
  ])('puts %s under %s', (status, group) => {
    expect(readOpenVex(vexType, document([{ ...statement, status }]))).toEqual({
      author: 'Acme',
      timestamp: '2026-01-01T00:00:00Z',
      notAffected: [],
      affected: [],
      fixed: [],
      underInvestigation: [],
      [group]: [said],
    });
  });

  it.each([
    ['v0.0.1, with texts', { ...statement, vulnerability: 'CVE-1', products: ['pkg:oci/app'] }, said],
    [
      'v0.0.1, with subcomponents of its own',
      { ...statement, vulnerability: 'CVE-1', products: ['pkg:oci/app'], subcomponents: ['pkg:deb/x'] },
      { ...said, subcomponents: ['pkg:deb/x'] },
    ],
    ['an identifier by IRI alone', { ...statement, vulnerability: { '@id': 'CVE-1' } }, said],
    ['a product by purl alone', { ...statement, products: [{ identifiers: { purl: 'pkg:oci/app' } }] }, said],
    ['no products', { ...statement, products: null }, { ...said, products: [] }],
    [
      'parts, a justification and a time of its own',
      {
        ...statement,
        products: [{ '@id': 'pkg:oci/app', subcomponents: [{ '@id': 'pkg:deb/x' }] }],
        justification: 'component_not_present',
        timestamp: '2026-02-01T00:00:00Z',
      },
      {
        ...said,
        subcomponents: ['pkg:deb/x'],
        justification: 'component_not_present',
        timestamp: '2026-02-01T00:00:00Z',
      },
    ],
  ])('reads a statement with %s', (_what, written, expected) => {
    expect(readOpenVex(vexType, document([written]))?.fixed).toEqual([expected]);
  });

  it.each([vexType, `${vexType}/v0.2.0`])('is of type %s', (type) => {
    expect(readOpenVex(type, document([]))).toBeDefined();
  });

  it.each([`${vexType}/`, `${vexType}x`, 'http://openvex.dev/ns', `${vexType}\n`])(
    'T16 is not of type %j',
    (type) => {
      expect(readOpenVex(type, document([]))).toBeUndefined();
    },
  );

  it.each<[string, Json | undefined, string]>([
    ['nothing', undefined, 'The OpenVEX document is not a JSON object.'],
    ['CSAF', { document: {} }, 'The OpenVEX document has no @context of OpenVEX.'],
    ['no statements', document(null), 'The field "statements" is not a list of objects.'],
    [
      'another status',
      document([{ ...statement, status: 'Not_affected' }]),
      'The OpenVEX document has a statement whose status is none of OpenVEX.',
    ],
    [
      'no vulnerability',
      document([{ ...statement, vulnerability: {} }]),
      'The OpenVEX document has a statement that names no vulnerability.',
    ],
    [
      'products of both kinds',
      document([{ ...statement, products: ['a', {}] }]),
      'The field "products" is not a list of objects.',
    ],
  ])('refuses %s', (_what, predicate, message) => {
    expect(() => readOpenVex(vexType, predicate)).toThrow(
      expect.objectContaining({ code: 'PayloadInvalid', message }) as Error,
    );
  });

  it.each([
    ['statements', Array.from({ length: maxVexStatements + 1 }, () => statement), maxVexStatements],
    [
      'products',
      [{ ...statement, products: Array(maxVexProducts + 1).fill('x') as string[] }],
      maxVexProducts,
    ],
  ])('T11 refuses too many %s', (what, statements, most) => {
    expect(() => readOpenVex(vexType, document(statements))).toThrow(
      expect.objectContaining({
        code: 'ArtifactTooLarge',
        message: `The OpenVEX document has more than ${most} ${what}.`,
      }) as Error,
    );
  });
});
