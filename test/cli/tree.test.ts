import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { index, manifest } from '../demo/registry/documents.ts';
import { startFixtureRegistry } from '../support/fixture-registry.ts';
import { runCommandLine } from '../support/run-command-line.ts';
import type { CommandLineResult } from '../support/run-command-line.ts';

async function treeOf(fixture: string, ...argv: string[]): Promise<CommandLineResult> {
  await using registry = await startFixtureRegistry(fixture);
  const image = `${registry.host}/acme/app:1.4.0`;
  const result = await runCommandLine('tree', image, '--plain-http', registry.host, ...argv);
  const { code, err } = result;
  return { code, err, out: result.out.replaceAll(registry.host, 'HOST') };
}

interface JsonNode {
  readonly relation: string;
  readonly digest: string;
  readonly kind: string;
  readonly [field: string]: unknown;
}
interface JsonTree {
  readonly verified: boolean;
  readonly complete: boolean;
  readonly tree: JsonNode;
}

const nodesOf = (node: JsonNode): JsonNode[] => [
  node,
  ...['parents', 'children', 'referrers'].flatMap((list) => (node[list] as JsonNode[]).flatMap(nodesOf)),
];

describe('refwarden tree on what cosign made', () => {
  it('shows an SBOM and the signature of the SBOM below it', async () => {
    const { code, out, err } = await treeOf('sbom-file-signed-legacy');
    expect([code, err]).toEqual([0, '']);
    expect(out.replace(/\d+( registry requests, )\d+/, 'N$1N')).toBe(
      `HOST/acme/app:1.4.0@sha256:2a41a64c951486bf53e2d51c861e3cdac96cd9d0f3dd695cbb404a21057de0ad
image, sha256:2a41a64c, 528 B, 1 layer of 8 B, dated 2026-01-01T00:00:00Z
└─ SBOM (SPDX) sha256:d5275e77, 726 B, 1 layer of 1.8 KiB, dated 2026-01-01T00:00:00Z, found by Referrers
   └─ signature (cosign simple signing) sha256:c1913b78, 558 B, 1 layer of 260 B, found by CosignTag
         names no signer (unverified)

Nothing here is verified: it is what the registry holds. \`refwarden check\` verifies.
complete, 2 nodes around it, N registry requests, N sequential
`,
    );
  });

  it('shows the children of an index, each with its own referrers', async () => {
    const { code, out } = await treeOf('index-signed-recursive-bundle');
    expect(code).toBe(0);
    expect(out.split('\n').slice(1, 9)).toEqual([
      'index, sha256:023036b3, 491 B',
      expect.stringMatching(/^├─ contains image sha256:2a41a64c, 528 B, 1 layer of 8 B, linux\/amd64, /),
      expect.stringMatching(
        /^│ {2}└─ signature \(Sigstore bundle\) sha256:ed43175d, .*, found by Referrers$/,
      ),
      '│        claimed signer key sha256:f95011f240d7 (unverified)',
      expect.stringMatching(/^├─ contains image sha256:1967c281, .*, linux\/arm64, /),
      expect.stringMatching(/^│ {2}└─ signature \(Sigstore bundle\) sha256:893652dc, /),
      '│        claimed signer key sha256:f95011f240d7 (unverified)',
      expect.stringMatching(/^└─ signature \(Sigstore bundle\) sha256:8d261526, /),
    ]);
  });

  it.each([
    ['keyless-bundle', 'claimed signer release@acme.example (http://127.0.0.1:'],
    ['keyless-legacy', 'claimed signer release@acme.example (http://127.0.0.1:'],
    ['key-bundle-message', 'signature (Sigstore bundle)'],
    ['key-bundle-message', 'claimed signer key sha256:f95011f240d7 (unverified)'],
    ['key-legacy-two', '2 layers of '],
    ['attest-spdx-legacy', 'attestation https://spdx.dev/Document (DSSE envelope)'],
    ['attest-cyclonedx-bundle', 'attestation https://cyclonedx.org/bom (Sigstore bundle)'],
    ['../attested/cyclonedx-file-signed', 'SBOM (CycloneDX) sha256:'],
    ['../attested/cyclonedx-tag', 'SBOM (CycloneDX) sha256:'],
    ['transplanted-bundle-reattached', '(unverified); SubjectMismatch: The payload names sha256:904e5124'],
    ['transplanted-legacy', 'names no signer (unverified); SubjectMismatch: The payload names sha256:'],
  ])('%s: %s', async (fixture, part) => {
    const { code, out } = await treeOf(fixture);
    expect(out).toContain(part);
    expect(code).toBe(0);
  });

  it('finds the index that contains an image by the tag beside its digest, and its signatures', async () => {
    await using registry = await startFixtureRegistry('index-signed-recursive-bundle');
    const child = registry.store
      .contents('acme/app')
      ?.manifests.keys()
      .find((key) => key.startsWith('sha256:2a41a64c'));
    const image = `${registry.host}/acme/app:1.4.0@${child ?? ''}`;
    const { code, out } = await runCommandLine('tree', image, '--plain-http', registry.host);
    expect(out.split('\n').slice(1, 5)).toEqual([
      expect.stringMatching(/^image, sha256:2a41a64c/),
      '├─ contained in index sha256:023036b3, 491 B, linux/amd64, found by IndexTag',
      expect.stringMatching(/^│ {2}└─ signature \(Sigstore bundle\) sha256:8d261526/),
      expect.stringMatching(/claimed signer key/),
    ]);
    expect(code).toBe(0);
  });

  it('writes a graph that Graphviz reads', async () => {
    const { code, out } = await treeOf('index-signed-recursive-bundle', '--output', 'dot');
    const string = '"(?:[^"\\\\\\n]|\\\\.)*"';
    const attributes = `\\[\\w+=${string}(?:, \\w+=${string})*\\];`;
    const line = new RegExp(
      `^  (?:label=${string};|rankdir="RL";|node ${attributes}|n\\d+ (?:-> n\\d+ )?${attributes})$`,
    );
    const lines = out.trimEnd().split('\n');
    expect([lines[0], lines.at(-1)]).toEqual(['digraph artifacts {', '}']);
    expect(lines.slice(1, -1).filter((text) => !line.test(text))).toEqual([]);
    expect(lines.filter((text) => text.includes(' -> '))).toEqual([
      '  n0 -> n1 [label="contains"];',
      '  n2 -> n1 [label="refers to (Referrers)"];',
      '  n0 -> n3 [label="contains"];',
      '  n4 -> n3 [label="refers to (Referrers)"];',
      '  n5 -> n0 [label="refers to (Referrers)"];',
    ]);
    expect(code).toBe(0);
  });

  it('writes a flowchart that Mermaid reads', async () => {
    const { code, out } = await treeOf('sbom-file-signed-bundle', '--output', 'mermaid');
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toBe('flowchart RL');
    const text = '"(?:[A-Za-z0-9 .,:/@_()+-]|#\\d+;|<br/>)*"';
    const line = new RegExp(
      `^  (?:\\w+\\[${text}\\]:::\\w+|n\\d+ -- ${text} --> n\\d+|classDef \\w+ [a-z0-9#:,-]+)$`,
    );
    expect(lines.slice(1).filter((found) => !line.test(found))).toEqual([]);
    expect(lines.filter((found) => found.includes('-->'))).toEqual([
      '  n1 -- "refers to (Referrers)" --> n0',
      '  n2 -- "refers to (Referrers)" --> n1',
    ]);
    expect(code).toBe(0);
  });
});

describe('refwarden tree --output json', () => {
  it('says that nothing is verified, and gives whole digests', async () => {
    const { code, out } = await treeOf('sbom-file-signed-bundle', '--output', 'json');
    const { verified, complete, tree } = JSON.parse(out) as JsonTree;
    expect([code, verified, complete]).toEqual([0, false, true]);
    expect(nodesOf(tree)).toMatchObject([
      { relation: 'root', kind: 'image', explored: 'here' },
      { relation: 'referrer', kind: 'sbom', format: 'SPDX', mechanism: 'Referrers', sizeBytes: 726 },
      {
        relation: 'referrer',
        kind: 'signature',
        form: 'SigstoreBundle',
        digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
        claimedSignatures: [
          { kind: 'signature', signer: { kind: 'key', fingerprint: expect.any(String) as string } },
        ],
      },
    ]);
  });

  it('has the fields that its reference names, and no others', async () => {
    const page = readFileSync(new URL('../../docs/reference/tree.md', import.meta.url), 'utf8');
    const [top = '', node = ''] = page.split('## A node');
    const documented = (text: string): string[] =>
      [...text.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, names = '']) =>
        names.replaceAll('`', '').split(', '),
      );
    await using registry = await startFixtureRegistry('sbom-file-signed-bundle');
    const { store, host } = registry;
    const other = manifest('other', { artifactType: 'application/vnd.example' });
    store.putManifest('acme/app', other.bytes, other.mediaType);
    const list = index([other, manifest('gone')]);
    store.putManifest('acme/app', list.bytes, list.mediaType, 'sparse');
    const report = manifest('report', { artifactType: 'application/vnd.example', subject: list.descriptor });
    store.putManifest('acme/app', report.bytes, report.mediaType);
    const sparse = await runCommandLine(
      'tree',
      `${host}/acme/app:sparse`,
      '--plain-http',
      host,
      '--output',
      'json',
    );
    const outputs = [
      sparse,
      await treeOf('sbom-file-signed-bundle', '--output', 'json'),
      await treeOf('attest-spdx-legacy', '--output', 'json'),
    ];
    const trees = outputs.map(({ out }) => JSON.parse(out) as JsonTree);
    const seen = new Set(trees.flatMap(({ tree }) => nodesOf(tree).flatMap((found) => Object.keys(found))));
    expect(new Set(trees.flatMap((tree) => Object.keys(tree)))).toEqual(new Set(documented(top)));
    expect(seen).toEqual(new Set(documented(node)));
  });
});

describe('refwarden tree --layout', () => {
  it.each(['oras-cp', 'oras-backup.tar', 'cosign-save-bundles'])(
    'shows what is on disk: %s',
    async (layout) => {
      const path = fileURLToPath(new URL(`../fixtures/layouts/${layout}`, import.meta.url));
      const image = 'registry.example/acme/app:1.4.0';
      const { code, out, err } = await runCommandLine('tree', image, '--layout', path, '--output', 'json');
      expect([code, err]).toEqual([0, '']);
      const kinds = nodesOf((JSON.parse(out) as JsonTree).tree).map(({ kind }) => kind);
      expect(kinds).toContain('signature');
    },
  );

  it('is no registry to be set up', async () => {
    const { code, err } = await runCommandLine('tree', 'a/b:1', '--layout', '.', '--plain-http', 'a.example');
    expect(code).toBe(2);
    expect(err).toContain("'--layout <path>' cannot be used with option '--plain-http");
  });
});
