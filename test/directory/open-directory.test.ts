import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigMapLookup, LiveSource } from '../../src/admission/live-source.ts';
import { openDirectory } from '../../src/directory/open-directory.ts';
import { RefwardenError, failure } from '../../src/failures/failure.ts';
import type { Failure } from '../../src/failures/failure.ts';
import type { IssuerTrust } from '../../src/policy/compile-issuer.ts';
import { trusting } from '../policy/sample-resources.ts';
import { until } from '../support/until.ts';

const key = `apiVersion: refwarden.dev/v1alpha1
kind: TrustedIssuer
metadata: {name: release}
spec: {key: {pem: "-----BEGIN PUBLIC KEY-----"}}
`;
const policy = (name: string, extra = ''): string => `apiVersion: refwarden.dev/v1alpha1
kind: ClusterArtifactPolicy
metadata: {name: ${name}}
spec:
  images: ["**"]
  require: [{name: signed, signature: {issuers: [release]}}]
${extra}`;
const namespace = (name: string, labels: string): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: ${labels}}\n`;

const { checkExpression } = trusting;
const trustFor = (configMaps: ConfigMapLookup): IssuerTrust => ({
  material: (reference) =>
    (reference.kind === 'configMap' ? configMaps(reference.name)?.[reference.key] : undefined) ??
    failure('TrustMaterialMissing', 'no such material'),
  check: () => undefined,
});

let directory: string;
let opened: LiveSource[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'refwarden-policies-'));
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((source) => source.close()));
  await rm(directory, { recursive: true, force: true });
});

const write = (file: string, text: string): Promise<void> => writeFile(join(directory, file), text);

async function open(watch = false): Promise<LiveSource> {
  const source = await openDirectory({
    path: directory,
    trustFor,
    checkExpression,
    noMatch: 'Admit',
    watch,
    pollMs: 50,
  });
  opened.push(source);
  return source;
}

const refusal = (): Promise<RefwardenError> =>
  open().then(
    () => Promise.reject(new Error('the directory was accepted')),
    (error: unknown) => (error instanceof RefwardenError ? error : Promise.reject(error as Error)),
  );

const names = (source: LiveSource): string[] => source.snapshot()?.policies.map(({ name }) => name) ?? [];
const signal = new AbortController().signal;

describe('openDirectory', () => {
  it('reads YAML and JSON files, several documents and Lists, and leaves the rest alone', async () => {
    await write('a.yaml', `# first\n---\n${key}---\n---\n${policy('one')}`);
    await write(
      'b.json',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [
          {
            apiVersion: 'refwarden.dev/v1alpha1',
            kind: 'ArtifactPolicy',
            metadata: { name: 'two', namespace: 'shop' },
            spec: { images: ['**'], require: [{ name: 'pinned', pinned: true }] },
          },
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'roots' }, data: { 'root.json': '{}' } },
        ],
      }),
    );
    await write('c.yml', namespace('shop', '{env: prod}'));
    await write('.hidden.yaml', 'not: [a policy');
    await write('README.md', '# Policies');
    await mkdir(join(directory, 'deeper'));
    const source = await open();
    expect(names(source)).toEqual(['one', 'two']);
    expect(source.snapshot()?.policies[1]?.namespace).toBe('shop');
    expect(source.configMap('roots')).toEqual({ 'root.json': '{}' });
    expect(source.configMap('other')).toBeUndefined();
    expect(await source.labels('shop', signal)).toEqual({
      env: 'prod',
      'kubernetes.io/metadata.name': 'shop',
    });
    expect(source.status()).toMatchObject({ ready: true, missing: [], stale: [] });
    expect(source.status().lastSyncMs['directory']).toBeGreaterThan(0);
  });

  it('compiles issuers with the ConfigMaps of the directory', async () => {
    await write(
      'all.yaml',
      [
        key.replace(
          '-----"',
          '-----", transparencyLog: Required, trustedRoot: {configMap: {name: roots, key: root}}',
        ),
        policy('one'),
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: roots}\ndata: {root: the-root}\n',
      ].join('---\n'),
    );
    const [requirement] = (await open()).snapshot()?.policies[0]?.requirements ?? [];
    expect(requirement).toMatchObject({ issuers: [{ trustedRoot: { json: 'the-root' } }] });
    expect(requirement?.notReady).toBeUndefined();
  });

  it('T23 the name label of a namespace is the namespace’s name, whatever its manifest says', async () => {
    await write(
      'p.yaml',
      `${policy('one')}---\n${namespace('shop', '{kubernetes.io/metadata.name: kube-system}')}`,
    );
    expect(await (await open()).labels('shop', signal)).toEqual({ 'kubernetes.io/metadata.name': 'shop' });
  });

  it('T35 a namespace without a manifest is unknown, not without labels', async () => {
    await write('p.yaml', policy('one'));
    const source = await open();
    await expect(source.labels('shop', signal)).rejects.toMatchObject({
      code: 'NamespaceUnknown',
      message: `The labels of namespace "shop" are not known: add a manifest of the Namespace, with its labels, to ${directory}.`,
    });
  });

  it('refuses a directory that does not exist or is none', async () => {
    await write('file.yaml', policy('one'));
    const elsewhere = (path: string): Promise<LiveSource> =>
      openDirectory({ path, trustFor, checkExpression, noMatch: 'Admit', watch: false });
    await expect(elsewhere(join(directory, 'gone'))).rejects.toMatchObject({
      code: 'ConfigurationInvalid',
      message: `The policy directory ${join(directory, 'gone')} cannot be read: it does not exist, check the path.`,
    });
    await expect(elsewhere(join(directory, 'file.yaml'))).rejects.toMatchObject({
      code: 'ConfigurationInvalid',
      message: expect.stringContaining('it is not a directory') as string,
    });
  });

  it('T21 refuses a directory without a policy', async () => {
    expect(await refusal()).toMatchObject({
      code: 'ConfigurationInvalid',
      message: `The policy directory ${directory} has no *.yaml, *.yml or *.json file: put policies there, or name another directory.`,
    });
    await write('issuers.yaml', key);
    expect(await refusal()).toMatchObject({
      code: 'ConfigurationInvalid',
      message:
        'No policy is among the objects of issuers.yaml: add a ClusterArtifactPolicy or an ArtifactPolicy.',
    });
  });

  it.each([
    [
      'an unknown field',
      policy('one', '  imagez: []\n'),
      'PolicyInvalid',
      /^b\.yaml, document 1: ClusterArtifactPolicy one: spec: .*imagez/,
    ],
    [
      'an unknown issuer field',
      key.replace('pem', 'pom'),
      'IssuerInvalid',
      /^b\.yaml, document 1: TrustedIssuer release: spec\.key/,
    ],
    [
      'broken YAML',
      `${key}---\na: [b\n`,
      'PolicyInvalid',
      /^b\.yaml, document 2: is not acceptable YAML: .* at line \d+, column \d+\.$/,
    ],
    ['no text', Buffer.from([0x61, 0x3a, 0xff]), 'PolicyInvalid', /^b\.yaml: is not valid UTF-8/],
    [
      'an unresolved tag',
      'a: !secret b\n',
      'PolicyInvalid',
      /^b\.yaml, document 1: is not acceptable YAML: Unresolved tag: !secret/,
    ],
    [
      'another kind',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n',
      'PolicyInvalid',
      /^b\.yaml, document 1: apiVersion "v1" and kind "Pod" are not read .* takes TrustedIssuer, .*, Namespace and ConfigMap/,
    ],
    [
      'a List in a List',
      'kind: List\nitems: [{kind: List, items: []}]\n',
      'PolicyInvalid',
      /^b\.yaml, document 1, items\[0\]: apiVersion none and kind "List" are not read/,
    ],
    [
      'a List without items',
      'kind: List\n',
      'PolicyInvalid',
      /^b\.yaml, document 1: items: a List must have a list of objects\.$/,
    ],
    [
      'no object',
      '- 1\n',
      'PolicyInvalid',
      /^b\.yaml, document 1: apiVersion none and kind none are not read/,
    ],
    [
      'labels that are no text',
      namespace('shop', '{env: true}'),
      'ConfigurationInvalid',
      /^b\.yaml, document 1: Namespace: metadata\.labels\.env: .*quotes\.$/,
    ],
    [
      'a number as a key',
      `${policy('two')}---\n1: a\n`,
      'PolicyInvalid',
      /^b\.yaml, document 2: has a key that is no text/,
    ],
  ])('T22 one file with %s refuses the whole directory', async (_, text, code, message) => {
    await write('a.yaml', policy('one'));
    await writeFile(join(directory, 'b.yaml'), text);
    const error = await refusal();
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('T22 names every file that cannot be used', async () => {
    await write('a.yaml', policy('one', '  imagez: []\n'));
    await write('b.yaml', policy('two'));
    await write('c.yaml', 'a: [b');
    await mkdir(join(directory, 'd.yaml'));
    expect((await refusal()).message).toMatch(
      /^a\.yaml, document 1: .* Not usable either: c\.yaml, d\.yaml\.$/,
    );
  });

  it('T22 a link that leads nowhere is no missing policy', async () => {
    await write('a.yaml', policy('one'));
    await symlink(join(directory, 'nowhere'), join(directory, 'b.yaml'));
    expect(await refusal()).toMatchObject({
      code: 'ConfigurationInvalid',
      message: 'b.yaml: cannot be read: it does not exist, check the path.',
    });
  });

  it.each([
    ['yaml', `${policy('one')}  images: ["attacker.example/**"]\n`],
    ['json', '{"apiVersion": "v1", "kind": "Namespace", "kind": "ConfigMap"}'],
  ])('T26 refuses a key given twice in %s', async (extension, text) => {
    await write(`a.${extension}`, text);
    const error = await refusal();
    expect(error.code).toBe('PolicyInvalid');
    expect(error.message).toMatch(
      /^a\.(yaml|json), document 1.* has the key "(images|kind)" twice in one (map|object)/,
    );
  });

  it('T26 refuses __proto__ as a key', async () => {
    await write('a.yaml', namespace('shop', '{__proto__: {env: prod}}'));
    expect(await refusal()).toMatchObject({
      code: 'PolicyInvalid',
      message: 'a.yaml, document 1: has a key "__proto__": remove it.',
    });
  });

  it('T11 bounds what aliases of YAML stand for, the size of a file and the depth of a document', async () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [from, to] of ['a b', 'b c', 'c d', 'd e'].map(
      (pair) => pair.split(' ') as [string, string],
    )) {
      lines.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(', ')}]`);
    }
    await write('a.yaml', lines.join('\n'));
    expect(await refusal()).toMatchObject({
      code: 'PolicyInvalid',
      message: expect.stringContaining(
        'a.yaml, document 1: is not acceptable YAML: Excessive alias count',
      ) as string,
    });
    await write('a.yaml', `# ${'x'.repeat(1024 * 1024)}\n${policy('one')}`);
    expect(await refusal()).toMatchObject({
      code: 'ConfigurationInvalid',
      message: 'a.yaml: is larger than 1048576 bytes: split it.',
    });
    for (const [open, close] of [
      ['[', ']'],
      ['{a: ', '}'],
      ['- ', ''],
    ] as const) {
      const nested = (depth: number): string => `${open.repeat(depth)}x${close.repeat(depth)}`;
      await write('a.yaml', nested(127));
      expect((await refusal()).message).toContain('are not read from a policy directory');
      await write('a.yaml', nested(129));
      expect(await refusal()).toMatchObject({
        code: 'PolicyInvalid',
        message: 'a.yaml: is nested deeper than 128.',
      });
    }
    await write('a.yaml', `a: ${'['.repeat(20_000)}`);
    expect((await refusal()).message).toBe('a.yaml: is nested deeper than 128.');
    await write('a.json', '['.repeat(20_000));
    expect((await refusal()).code).toBe('PolicyInvalid');
  });

  it.each(['kind: &a [*a]', 'kind: &a {b: [*a]}', 'items: &a\n  - spec: *a\nkind: List'])(
    'T26 refuses what contains itself: %s',
    async (text) => {
      await write('a.yaml', text);
      expect(await refusal()).toMatchObject({
        code: 'PolicyInvalid',
        message: 'a.yaml, document 1: the alias "a" stands within what it names.',
      });
    },
  );

  it('T31 shows where a file is no YAML, and no more than the beginning of what is odd', async () => {
    await write('a.yaml', 'kind: x\n  y: [z');
    const { code, message } = await refusal();
    expect(code).toBe('PolicyInvalid');
    expect(message).toMatch(
      /^a\.yaml, document 1: is not acceptable YAML: .{1,200} at line [12], column [0-9]+\.$/,
    );
    await write('a.yaml', `kind: !${'x'.repeat(100_000)} y`);
    expect((await refusal()).message.length).toBeLessThan(400);
    await write(
      'a.yaml',
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {${'k'.repeat(900)}: 1}`,
    );
    expect((await refusal()).message.length).toBeLessThan(400);
  });

  it('T11 bounds documents and objects of a file, and finds a key given twice in linear time', async () => {
    await write('a.yaml', 'a: b\n---\n'.repeat(1001));
    expect((await refusal()).message).toBe('a.yaml: has 1002 documents, more than 1000: split it.');
    await write('a.yaml', `kind: List\nitems: [${'1, '.repeat(5001)}]\n`);
    expect((await refusal()).message).toBe('a.yaml: has 5001 objects, more than 5000: split it.');
    await write('a.yaml', Array.from({ length: 60_000 }, (_, index) => `k${index}: v\n`).join(''));
    expect((await refusal()).message).toContain('are not read from a policy directory');
  });

  it('refuses an object that two files define, and names both', async () => {
    await write('a.yaml', policy('one'));
    await write('b.yaml', `${key}---\n${policy('one')}`);
    expect(await refusal()).toMatchObject({
      code: 'ConfigurationInvalid',
      message:
        'ClusterArtifactPolicy/one is defined twice, in a.yaml, document 1 and in b.yaml, document 2: remove one.',
    });
  });

  it('refuses an object that one file defines twice', async () => {
    await write(
      'a.yaml',
      `${policy('one')}---\n${namespace('shop', '{}')}---\n${namespace('shop', '{env: prod}')}`,
    );
    expect(await refusal()).toMatchObject({
      code: 'ConfigurationInvalid',
      message:
        'Namespace/shop is defined twice, in a.yaml, document 2 and in a.yaml, document 3: remove one.',
    });
  });
});

describe('openDirectory with watch', () => {
  beforeEach(() => write('a.yaml', policy('one')));

  it('follows files that come, change and go', async () => {
    const source = await open(true);
    await write('b.yaml', policy('two'));
    await until(() => {
      expect(names(source)).toEqual(['one', 'two']);
    });
    await write('a.yaml', `${policy('uno')}---\n${namespace('shop', '{}')}`);
    await until(() => {
      expect(names(source).sort()).toEqual(['two', 'uno']);
    });
    expect(await source.labels('shop', signal)).toEqual({ 'kubernetes.io/metadata.name': 'shop' });
    await rm(join(directory, 'a.yaml'));
    await until(() => {
      expect(names(source)).toEqual(['two']);
    });
    await expect(source.labels('shop', signal)).rejects.toMatchObject({ code: 'NamespaceUnknown' });
    expect(source.status()).toMatchObject({ ready: true, stale: [] });
  });

  it('follows the swapped link of a mounted ConfigMap', async () => {
    await rm(join(directory, 'a.yaml'));
    for (const version of ['1', '2']) {
      await mkdir(join(directory, `..${version}`));
      await write(`..${version}/p.yaml`, policy(`version-${version}`));
    }
    await symlink('..1', join(directory, '..data'));
    await symlink('..data/p.yaml', join(directory, 'p.yaml'));
    const source = await open(true);
    expect(names(source)).toEqual(['version-1']);
    await symlink('..2', join(directory, '..data-next'));
    await rename(join(directory, '..data-next'), join(directory, '..data'));
    await until(() => {
      expect(names(source)).toEqual(['version-2']);
    });
  });

  it('T22 a file that breaks keeps its last good version in force and is reported', async () => {
    const source = await open(true);
    await write('a.yaml', policy('one', '  imagez: []\n'));
    await write('b.yaml', policy('two'));
    await until(() => {
      expect(names(source)).toEqual(['one', 'two']);
      expect(source.status().stale).toEqual([
        {
          origin: 'a.yaml',
          failure: {
            code: 'PolicyInvalid',
            message: expect.stringContaining('a.yaml, document 1: ClusterArtifactPolicy one: spec') as string,
          },
        },
      ]);
    });
    await write('a.yaml', policy('mended'));
    await until(() => {
      expect(names(source).sort()).toEqual(['mended', 'two']);
      expect(source.status().stale).toEqual([]);
    });
  });

  it.each(['', '# nothing\n', '---\n'])('T22 a file emptied to %j drops no policy', async (text) => {
    await write('b.yaml', policy('two'));
    const source = await open(true);
    await write('b.yaml', text);
    await until(() => {
      expect(source.status().stale).toMatchObject([
        {
          origin: 'b.yaml',
          failure: {
            code: 'PolicyInvalid',
            message: 'b.yaml: holds nothing: delete the file if it is meant to.',
          },
        },
      ]);
    });
    expect(names(source)).toEqual(['one', 'two']);
  });

  it('a new file cannot take over an object of another', async () => {
    await write('b.yaml', `${key}---\n${policy('two')}`);
    const source = await open(true);
    await write('0.yaml', policy('two', '  mode: Audit\n'));
    await until(() => {
      expect(source.status().stale).toMatchObject([
        {
          origin: '0.yaml',
          failure: {
            code: 'ConfigurationInvalid',
            message:
              'ClusterArtifactPolicy/two is defined twice, in 0.yaml, document 1 and in b.yaml, document 2: remove one.',
          },
        },
      ]);
    });
    expect(source.snapshot()?.policies.map(({ name, mode }) => `${name} ${mode}`)).toEqual([
      'one Enforce',
      'two Enforce',
    ]);
    await write('b.yaml', key);
    await until(() => {
      expect(
        source
          .snapshot()
          ?.policies.map(({ name, mode }) => `${name} ${mode}`)
          .sort(),
      ).toEqual(['one Enforce', 'two Audit']);
      expect(source.status().stale).toEqual([]);
    });
  });

  it('T22 the directory vanishing, or all policies in it, leaves everything in force and is reported', async () => {
    const source = await open(true);
    await rename(directory, `${directory}-away`);
    await until(() => {
      expect(source.status().stale).toMatchObject([
        { origin: directory, failure: { code: 'ConfigurationInvalid' } },
      ]);
    });
    expect(source.status().stale[0]?.failure.message).toContain('cannot be read: it does not exist');
    expect(names(source)).toEqual(['one']);
    expect(source.status().ready).toBe(true);
    await mkdir(directory);
    await until(() => {
      expect(source.status().stale[0]?.failure.message).toContain('has no *.yaml');
    });
    expect(names(source)).toEqual(['one']);
    await write('a.yaml', key);
    await until(() => {
      expect(source.status().stale[0]?.failure.message).toContain('No policy is among the objects of a.yaml');
    });
    expect(names(source)).toEqual(['one']);
    await write('a.yaml', policy('back'));
    await until(() => {
      expect(names(source)).toEqual(['back']);
      expect(source.status().stale).toEqual([]);
    });
    await rm(`${directory}-away`, { recursive: true });
  });

  it('T34 trust material that changed elsewhere is taken up', async () => {
    let root = 'first';
    const source = await openDirectory({
      path: directory,
      trustFor: () => ({ material: () => root, check: () => undefined }),
      checkExpression,
      noMatch: 'Deny',
      watch: true,
      pollMs: 20,
    });
    opened.push(source);
    await write(
      'a.yaml',
      `${key.replace('-----"', '-----", transparencyLog: Required')}---\n${policy('one')}`,
    );
    const used = (): unknown => source.snapshot()?.policies[0]?.requirements[0];
    await until(() => {
      expect(used()).toMatchObject({ issuers: [{ trustedRoot: { json: 'first' } }] });
    });
    root = 'second';
    await until(() => {
      expect(used()).toMatchObject({ issuers: [{ trustedRoot: { json: 'second' } }] });
    });
  });

  it('T34 trust material that says it changed is taken up at once, until the source is closed', async () => {
    await write(
      'a.yaml',
      `${key.replace('-----"', '-----", transparencyLog: Required')}---\n${policy('one')}`,
    );
    let root: string | Failure = failure('TrustMaterialMissing', 'not read yet');
    const listeners = new Set<() => void>();
    const source = await openDirectory({
      path: directory,
      trustFor: () => ({ material: () => root, check: () => undefined }),
      checkExpression,
      onTrustChange: (changed) => {
        listeners.add(changed);
        return () => listeners.delete(changed);
      },
      noMatch: 'Deny',
      watch: false,
    });
    const requirement = (): unknown => source.snapshot()?.policies[0]?.requirements[0];
    expect(requirement()).toMatchObject({ notReady: { message: 'TrustedIssuer release: not read yet' } });
    root = 'second';
    for (const changed of listeners) changed();
    await until(() => {
      expect(requirement()).toMatchObject({ issuers: [{ trustedRoot: { json: 'second' } }] });
    });
    await source.close();
    expect(listeners.size).toBe(0);
  });

  it('T28 a compilation that fails leaves the last snapshot in force and is reported', async () => {
    let broken = false;
    const source = await openDirectory({
      path: directory,
      checkExpression,
      trustFor: (configMaps) => {
        if (broken) throw new RefwardenError('TrustMaterialInvalid', 'the root is broken');
        return trustFor(configMaps);
      },
      noMatch: 'Admit',
      watch: true,
      pollMs: 20,
    });
    opened.push(source);
    broken = true;
    await until(() => {
      expect(source.status().stale).toEqual([
        { origin: directory, failure: { code: 'TrustMaterialInvalid', message: 'the root is broken' } },
      ]);
    });
    expect(names(source)).toEqual(['one']);
  });
});
