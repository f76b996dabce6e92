import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStrictJson } from '../../../src/oci/strict-json.ts';
import type { Json, JsonObject } from '../../../src/oci/strict-json.ts';
import { sbomReaders } from '../../../src/verification/sbom/sbom-document.ts';
import {
  maxPackageLicenses,
  maxSbomPackages,
  readSbomView,
} from '../../../src/verification/sbom/sbom-view.ts';
import type { SbomView } from '../../../src/verification/sbom/sbom-view.ts';

const cyclonedxType = sbomReaders.CycloneDX.predicateType;
const spdxType = sbomReaders.SPDX.predicateType;

const cyclonedx = (fields: JsonObject = {}): JsonObject => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  ...fields,
});
const spdx = (fields: JsonObject = {}): JsonObject => ({
  spdxVersion: 'SPDX-2.3',
  SPDXID: 'SPDXRef-DOCUMENT',
  name: 'app',
  creationInfo: { created: '2026-01-01T00:00:00Z' },
  ...fields,
});
const viewOfCycloneDx = (fields: JsonObject = {}): SbomView => read(cyclonedxType, cyclonedx(fields));
const viewOfSpdx = (fields: JsonObject = {}): SbomView => read(spdxType, spdx(fields));

function read(type: string, document: Json): SbomView {
  const view = readSbomView(type, document);
  if (view === undefined) throw new Error(`${type} is the type of no SBOM`);
  return view;
}

/** What a real tool wrote (test/fixtures/README.md). */
function viewOfTool(file: string): SbomView {
  const bytes = readFileSync(new URL(`../../fixtures/sboms/${file}`, import.meta.url));
  return read(file.includes('spdx') ? spdxType : cyclonedxType, parseStrictJson(bytes, file));
}

const shown = ({ packages }: SbomView): readonly string[] =>
  packages.map(({ name, version, licenses }) => `${name} ${version} ${licenses.join(',')}`).toSorted();

const inRoot = [
  '@sigstore/core 4.0.1 Apache-2.0',
  'libc6 2.36-9+deb12u13 GPL-2.0-only,LGPL-2.1-only',
  'minimist 1.2.8 MIT',
  'openssl 3.0.19-1~deb12u2 Apache-2.0,GPL-1.0-or-later',
  'registry.example/acme/app 1.4.0 ',
  'shop 1.4.0 Apache-2.0',
];
/** `syft convert` drops the version of what the SBOM is about. */
const inConverted = [...inRoot, 'debian 12 ']
  .map((line) => line.replace('acme/app 1.4.0', 'acme/app '))
  .toSorted();
const ofNpm = ['@sigstore/core 4.0.1 Apache-2.0', 'minimist 1.2.8 MIT', 'shop 1.4.0 Apache-2.0'];
const ofPython = ['attrs 26.1.0 MIT', 'setuptools 65.5.0 MIT'];

describe('SBOMs of real tools', () => {
  it.each([
    ['syft-2.2.spdx.json', '2.2', inRoot],
    ['syft-2.3.spdx.json', '2.3', inRoot],
    ['syft-1.2.cyclonedx.json', '1.2', [...inRoot, 'debian 12 '].toSorted()],
    ['syft-1.6.cyclonedx.json', '1.6', [...inRoot, 'debian 12 '].toSorted()],
    ['syft-1.7.cyclonedx.json', '1.7', inConverted],
    ['npm-2.3.spdx.json', '2.3', ofNpm],
    ['npm-1.5.cyclonedx.json', '1.5', ofNpm],
    ['python-1.3.cyclonedx.json', '1.3', ofPython],
    ['python-1.6.cyclonedx.json', '1.6', ofPython],
    [
      'gomod-1.4.cyclonedx.json',
      '1.4',
      ['github.com/opencontainers/go-digest v1.0.0 CC-BY-SA-4.0', 'registry.example/acme/app  '],
    ],
  ])('%s is one view', (file, version, packages) => {
    const view = viewOfTool(file);
    expect(view.version).toBe(version);
    expect(view.created).toMatch(/^2026-11-26T/);
    expect(shown(view)).toEqual(packages);
  });

  it('have the same package URLs in both formats', () => {
    const purls = (file: string) => new Set(viewOfTool(file).packages.map(({ purl }) => purl));
    expect(purls('syft-1.6.cyclonedx.json')).toEqual(purls('syft-2.3.spdx.json'));
    expect(purls('npm-1.5.cyclonedx.json')).toEqual(purls('npm-2.3.spdx.json'));
  });
});

describe('the view of an SPDX document', () => {
  it('has every field of a package', () => {
    const { packages } = viewOfSpdx({
      packages: [
        {
          name: 'openssl',
          versionInfo: '3.0.19-1',
          supplier: 'Organization: Debian',
          licenseConcluded: 'Apache-2.0 AND MIT',
          licenseDeclared: 'MIT OR AGPL-3.0-only',
          externalRefs: [
            { referenceType: 'cpe23Type', referenceLocator: 'cpe:2.3:a' },
            { referenceType: 'purl', referenceLocator: 'pkg:deb/debian/openssl@3.0.19-1' },
          ],
        },
        {
          name: 'bare',
          supplier: 'NOASSERTION',
          licenseConcluded: 'NONE',
          licenseDeclared: null,
          externalRefs: null,
        },
        { name: 'person', supplier: 'Person: Ada (ada@acme.example)' },
      ],
    });
    const empty = { group: '', version: '', purl: '', licenses: [] };
    expect(packages).toEqual([
      {
        name: 'openssl',
        group: '',
        version: '3.0.19-1',
        purl: 'pkg:deb/debian/openssl@3.0.19-1',
        licenses: ['Apache-2.0', 'MIT', 'AGPL-3.0-only'],
        supplier: 'Debian',
      },
      { ...empty, name: 'bare', supplier: '' },
      { ...empty, name: 'person', supplier: 'Ada (ada@acme.example)' },
    ]);
  });

  it('has no packages where the document has none', () => {
    expect(viewOfSpdx()).toEqual({
      format: 'SPDX',
      version: '2.3',
      created: '2026-01-01T00:00:00Z',
      packages: [],
    });
  });
});

describe('the view of a CycloneDX document', () => {
  it('has every field of a component', () => {
    const { packages, created } = viewOfCycloneDx({
      metadata: { timestamp: '2026-01-01T00:00:00Z' },
      components: [
        {
          type: 'library',
          group: '@acme',
          name: 'ui',
          version: '1.0.0',
          purl: 'pkg:npm/%40acme/ui@1.0.0',
          publisher: 'somebody else',
          supplier: { name: 'Acme' },
          licenses: [
            { license: { id: 'MIT' } },
            { license: { name: 'The Acme License, Version 2' } },
            { expression: 'MIT AND (AGPL-3.0-only OR GPL-2.0-only WITH Classpath-exception-2.0)' },
          ],
          evidence: { licenses: [{ license: { id: 'SSPL-1.0' } }] },
        },
        { type: 'library', name: 'published', publisher: 'Acme', licenses: null },
      ],
    });
    expect(created).toBe('2026-01-01T00:00:00Z');
    expect(packages).toEqual([
      {
        name: 'ui',
        group: '@acme',
        version: '1.0.0',
        purl: 'pkg:npm/%40acme/ui@1.0.0',
        licenses: ['MIT', 'The Acme License, Version 2', 'AGPL-3.0-only', 'GPL-2.0-only', 'SSPL-1.0'],
        supplier: 'Acme',
      },
      { name: 'published', group: '', version: '', purl: '', licenses: [], supplier: 'Acme' },
    ]);
  });

  it('has what the SBOM is about, and components within components, in the order of the document', () => {
    const { packages } = viewOfCycloneDx({
      metadata: { component: { name: 'app', components: [{ name: 'part' }] } },
      components: [
        { name: 'a', components: [{ name: 'a1', components: [{ name: 'a11' }] }, { name: 'a2' }] },
        { name: 'b' },
      ],
    });
    expect(packages.map(({ name }) => name)).toEqual(['app', 'part', 'a', 'a1', 'a11', 'a2', 'b']);
  });

  it('leaves out files that are no more than that, and nothing else', () => {
    const { packages } = viewOfCycloneDx({
      metadata: { component: { type: 'file', name: '.' } },
      components: [
        { type: 'file', name: '/etc/passwd', components: [{ type: 'library', name: 'within' }] },
        { type: 'file', name: '/lib/a.so', purl: 'pkg:generic/a@1' },
        { type: 'file', name: '/lib/b.so', licenses: [{ license: { id: 'AGPL-3.0-only' } }] },
      ],
    });
    expect(packages.map(({ name }) => name)).toEqual(['.', 'within', '/lib/a.so', '/lib/b.so']);
  });

  it('finds every component however they are nested', () => {
    const { tree } = fc.letrec<{ tree: JsonObject }>((tie) => ({
      tree: fc.record({
        name: fc.string(),
        components: fc.oneof(
          { depthSize: 'small' },
          fc.constant<JsonObject[]>([]),
          fc.array(tie('tree'), { maxLength: 4 }),
        ),
      }),
    }));
    const namesOf = (components: readonly JsonObject[]): readonly string[] =>
      components.flatMap(({ name, components: inner }) => [
        name as string,
        ...namesOf(inner as JsonObject[]),
      ]);
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 4 }), (components) => {
        expect(viewOfCycloneDx({ components }).packages.map(({ name }) => name)).toEqual(namesOf(components));
      }),
    );
  });
});

describe('a hostile SBOM', () => {
  const refusal = (code: string, message: string): Error =>
    expect.objectContaining({ code, message }) as Error;

  it('T11 of too many packages is refused, never cut', () => {
    const message = `The SBOM has more than ${maxSbomPackages} packages.`;
    const million = Array.from({ length: 1_000_000 }, () => ({}));
    expect(() => viewOfCycloneDx({ components: million })).toThrow(refusal('ArtifactTooLarge', message));
    expect(() => viewOfSpdx({ packages: million })).toThrow(refusal('ArtifactTooLarge', message));
    const most = million.slice(0, maxSbomPackages);
    expect(viewOfSpdx({ packages: most }).packages).toHaveLength(maxSbomPackages);
    expect(() => viewOfCycloneDx({ metadata: { component: {} }, components: most })).toThrow(
      refusal('ArtifactTooLarge', message),
    );
  });

  it('T11 of too many licences is refused, never cut', () => {
    const expression = Array.from({ length: maxPackageLicenses }, (_, index) => `L-${index}`).join(' AND ');
    const component = (text: string): JsonObject => ({ components: [{ licenses: [{ expression: text }] }] });
    expect(viewOfCycloneDx(component(expression)).packages[0]?.licenses).toHaveLength(maxPackageLicenses);
    expect(() => viewOfCycloneDx(component(`${expression} AND AGPL-3.0-only`))).toThrow(
      refusal('ArtifactTooLarge', `The SBOM has more than ${maxPackageLicenses} licences of one package.`),
    );
  });

  it('T26 that is nested as deep as JSON may be is read without recursion', () => {
    let component: JsonObject = { name: 'deepest' };
    for (let depth = 0; depth < 50_000; depth++) component = { components: [component] };
    expect(viewOfCycloneDx({ components: [component] }).packages.at(-1)?.name).toBe('deepest');
  });

  it('T26 keeps names like __proto__ and control characters as they are', () => {
    const licenses = [{ license: { name: '\u001b[2J\u0000AGPL' } }];
    const { packages } = viewOfCycloneDx({ components: [{ name: '__proto__', licenses }] });
    expect(packages).toMatchObject([{ name: '__proto__', licenses: ['\u001b[2J\u0000AGPL'] }]);
    expect(Object.getPrototypeOf(packages[0])).toBe(Object.prototype);
  });

  it.each<[string, JsonObject, string]>([
    [
      'a licence that is a number',
      { components: [{ licenses: [{ license: { id: 1 } }] }] },
      '"id" is not text',
    ],
    ['licences that are text', { components: [{ licenses: 'MIT' }] }, '"licenses" is not a list of objects'],
    [
      'a licence that is text',
      { components: [{ licenses: [{ license: 'MIT' }] }] },
      '"license" is not an object',
    ],
    [
      'nested components that are none',
      { components: [{ components: {} }] },
      '"components" is not a list of objects',
    ],
    ['a name that is a list', { components: [{ name: ['a'] }] }, '"name" is not text'],
    ['a subject that is a list', { metadata: { component: [] } }, '"component" is not an object'],
  ])('with %s is refused, and not taken for one that says nothing', (_what, fields, what) => {
    expect(() => viewOfCycloneDx(fields)).toThrow(refusal('PayloadInvalid', `The field ${what}.`));
  });

  it.each<[string, JsonObject, string]>([
    ['a licence that is a list', { licenseDeclared: ['MIT'] }, '"licenseDeclared" is not text'],
    ['a version that is a number', { versionInfo: 1 }, '"versionInfo" is not text'],
    ['references that are none', { externalRefs: 'purl' }, '"externalRefs" is not a list of objects'],
  ])('of SPDX with %s is refused', (_what, entry, what) => {
    expect(() => viewOfSpdx({ packages: [entry] })).toThrow(refusal('PayloadInvalid', `The field ${what}.`));
  });
});
