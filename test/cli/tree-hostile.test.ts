import { describe, expect, it } from 'vitest';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import { ociIndex } from '../../src/oci/media-types.ts';
import { documentOf, manifest } from '../demo/registry/documents.ts';
import { runCommandLine } from '../support/run-command-line.ts';

const repository = 'acme/app';

/** What an author of artifacts may write to break out of each form of output. */
const hostile = [
  '"]; evil [label="',
  'a\n  evil -> n0',
  'x"] --> evil["y',
  '<img src=x onerror=alert(1)>',
  String.raw`\" ]; evil \N`,
  '#quot;] --> evil',
  '\u001b[31mred\u001b[0m \u009b2J',
  '\u202egnp.exe\u2066',
  '"""`end`|pipe|{brace}(paren)%%comment;',
  `long ${'x'.repeat(5_000)}`,
];

async function outputs(text: string): Promise<Record<'text' | 'json' | 'dot' | 'mermaid', string>> {
  await using registry = await startRegistry({ mechanisms: { references: false, referrers: true } });
  const { store, host } = registry;
  const app = manifest('app');
  store.putManifest(repository, app.bytes, app.mediaType);
  const entry = { ...app.descriptor, platform: { os: text.slice(0, 200), architecture: 'amd64' } };
  const list = documentOf(ociIndex, { schemaVersion: 2, mediaType: ociIndex, manifests: [entry] });
  store.putManifest(repository, list.bytes, list.mediaType, '1');
  const artifacts = [
    { artifactType: text.slice(0, 255), annotations: { 'org.opencontainers.image.created': text } },
    {
      artifactType: 'application/vnd.in-toto+json',
      layers: [
        {
          ...app.descriptor,
          mediaType: 'application/vnd.in-toto+json',
          annotations: { 'in-toto.io/predicate-type': text },
        },
      ],
    },
  ];
  for (const [i, fields] of artifacts.entries()) {
    const artifact = manifest(`artifact ${i}`, { ...fields, subject: list.descriptor });
    store.putManifest(repository, artifact.bytes, artifact.mediaType);
  }
  const run = async (form: string): Promise<string> => {
    const { code, out, err } = await runCommandLine(
      'tree',
      `${host}/${repository}:1`,
      '--plain-http',
      host,
      '--output',
      form,
    );
    expect([code, err]).toEqual([0, '']);
    return out;
  };
  return {
    text: await run('text'),
    json: await run('json'),
    dot: await run('dot'),
    mermaid: await run('mermaid'),
  };
}

describe.each(hostile)('T31 an artifact that calls itself %j', (text) => {
  it('writes nothing but what is meant, in every form', async () => {
    const { text: plain, json, dot, mermaid } = await outputs(text);
    const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
    for (const form of [plain, json, dot, mermaid]) {
      expect(form.split('\n').filter((line) => invisible.test(line))).toEqual([]);
      expect(form).not.toContain('x'.repeat(300));
    }
    // Root line, its facts, two artifacts, a child; nothing that an artifact wrote is a line of its own.
    expect(plain.split('\n').filter((line) => /^[├└│]/.test(line))).toHaveLength(3);
    expect(JSON.parse(json)).toMatchObject({ complete: true, tree: { kind: 'index' } });

    const dotString = '"(?:[^"\\\\]|\\\\["\\\\n])*"';
    const dotLine = new RegExp(
      `^  (?:label=${dotString};|rankdir="RL";|node \\[shape="box"\\];|n\\d+ (?:-> n\\d+ )?\\[label=${dotString}(?:, \\w+="\\w+")*\\];)$`,
    );
    const dotLines = dot.trimEnd().split('\n').slice(1, -1);
    expect(dotLines.filter((line) => !dotLine.test(line))).toEqual([]);
    expect(dotLines.filter((line) => /^ {2}n\d+ \[/.test(line))).toHaveLength(4);

    const label = '"(?:[A-Za-z0-9 .,:/@_()+-]|#\\d+;|<br/>)*"';
    const mermaidLine = new RegExp(
      `^  (?:\\w+\\[${label}\\]:::\\w+|n\\d+ -- ${label} --> n\\d+|classDef [\\w ,:#-]+)$`,
    );
    const mermaidLines = mermaid.trimEnd().split('\n').slice(1);
    expect(mermaidLines.filter((line) => !mermaidLine.test(line))).toEqual([]);
    expect(mermaidLines.filter((line) => /^ {2}n\d+\[/.test(line))).toHaveLength(4);
  });
});
