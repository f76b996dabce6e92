import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** Path from the root of the project -> source text. */
type Sources = ReadonlyMap<string, string>;

/** The rooms of the core, each importing only itself and those before it. */
const core = ['failures', 'scheduling', 'image', 'oci', 'policy', 'verification', 'admission'];
/** Edges import the core and never each other, with these exceptions. */
const edges = [
  'certificates',
  'network',
  'registry',
  'layout',
  'referrers',
  'revocation',
  'trust',
  'kubernetes',
  'directory',
  'server',
  'audit',
  'cli',
  'demo',
  'observability',
  'workers',
];
const edgeExceptions: Readonly<Record<string, readonly string[]>> = {
  referrers: ['registry'],
  registry: ['network'],
  revocation: ['network'],
  trust: ['network'],
  demo: ['certificates'],
  kubernetes: ['certificates'],
};
/** Wires the edges together: it may import everything, and only main.ts imports it. */
const wiring = 'compose';
/** What the core must do without: network, files, processes and clients. `node:crypto` computes. */
const forbiddenInCore =
  'fs http https http2 net tls dns dgram child_process worker_threads os process undici fastify @kubernetes/client-node'.split(
    ' ',
  );

const allowedRooms = (room: string): readonly string[] =>
  room === wiring
    ? [...core, ...edges, wiring]
    : core.includes(room)
      ? core.slice(0, core.indexOf(room) + 1)
      : [...core, room, ...(edgeExceptions[room] ?? [])];

/** Everything in which the sources break the table of rooms, a line each. */
function violations(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    if (path.endsWith('.json')) return [];
    const room = roomOf(path);
    const found: string[] = [];
    const complain = (what: string): void => void found.push(`${path}: ${what}`);
    if (!/^src\/(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)*[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/.test(path))
      complain('is not named in kebab-case');
    if (room !== undefined && ![...core, ...edges, wiring].includes(room)) complain(`is in no known room`);
    if (room === undefined && path !== 'src/main.ts') complain('is in no room');
    for (const { specifier, computed } of importsOf(path, text)) {
      if (computed) complain('imports something that is only known when it runs');
      else if (specifier.startsWith('.')) {
        const problem = problemWith(path, resolve(path, specifier), room, sources);
        if (problem !== undefined) complain(problem);
      } else if (room !== undefined && core.includes(room) && isForbidden(specifier))
        complain(`is core and imports ${specifier}`);
    }
    if (room !== undefined && core.includes(room) && usesGlobal(path, text, 'process'))
      complain('is core and touches process');
    if (room !== undefined && core.includes(room) && usesGlobal(path, text, 'fetch'))
      complain('is core and touches fetch');
    return found;
  });
}

/** What is wrong with one file importing another. */
function problemWith(
  path: string,
  target: string,
  room: string | undefined,
  sources: Sources,
): string | undefined {
  if (path === 'src/main.ts' && target === 'package.json') return undefined;
  if (!target.startsWith('src/')) return `imports ${target} from outside src`;
  if (!sources.has(target)) return `imports ${target}, which does not exist`;
  const wanted = roomOf(target);
  if (wanted === undefined) {
    return path === 'src/main.ts' ? undefined : `imports ${target}, which only main.ts may`;
  }
  if (room !== undefined) {
    return allowedRooms(room).includes(wanted) ? undefined : `is in ${room}/ and imports ${target}`;
  }
  return [...core, wiring, 'cli', 'observability'].includes(wanted)
    ? undefined
    : `imports ${target}: only compose/ wires edges`;
}

const roomOf = (path: string): string | undefined => /^src\/([^/]+)\//.exec(path)?.[1];

const isForbidden = (specifier: string): boolean => {
  const name = specifier.replace(/^node:/, '');
  return forbiddenInCore.some((forbidden) => name === forbidden || name.startsWith(`${forbidden}/`));
};

function resolve(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

interface Import {
  readonly specifier: string;
  /** `import(expression)`: nobody can tell from the text what it imports. */
  readonly computed: boolean;
  /** Gone when it runs, so that it makes no cycle. */
  readonly typeOnly: boolean;
}

function importsOf(path: string, text: string): Import[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const typeOnly = new Set<string>();
  for (const statement of file.statements) {
    const isType =
      (ts.isImportDeclaration(statement) &&
        statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword) ||
      (ts.isExportDeclaration(statement) && statement.isTypeOnly);
    if (isType && statement.moduleSpecifier !== undefined && ts.isStringLiteral(statement.moduleSpecifier)) {
      typeOnly.add(`${statement.moduleSpecifier.getStart(file)}`);
    }
  }
  const named = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName, pos }) => ({
    specifier: fileName,
    computed: false,
    typeOnly: typeOnly.has(`${pos}`),
  }));
  const computed: Import[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument === undefined || !ts.isStringLiteralLike(argument)) {
        computed.push({ specifier: '', computed: true, typeOnly: false });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return [...named, ...computed];
}

/** Whether the text uses the global: as a value, not as a property of something else or a name of its own. */
function usesGlobal(path: string, text: string, name: string): boolean {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  let found = false;
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node.text === name) {
      const { parent } = node;
      const isOwnName =
        (ts.isPropertyAccessExpression(parent) &&
          parent.name === node &&
          parent.expression.getText(file) !== 'globalThis') ||
        ((ts.isPropertyAssignment(parent) ||
          ts.isPropertySignature(parent) ||
          ts.isMethodSignature(parent) ||
          ts.isMethodDeclaration(parent) ||
          ts.isPropertyDeclaration(parent)) &&
          parent.name === node);
      if (!isOwnName) found = true;
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** Circles of imports that exist when the program runs, each as `a -> b -> a`. */
function cycles(sources: Sources): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
    if (done.has(path)) return;
    done.add(path);
    if (path.endsWith('.json')) return;
    for (const { specifier, typeOnly } of importsOf(path, sources.get(path) ?? '')) {
      if (!typeOnly && specifier.startsWith('.')) visit(resolve(path, specifier), [...trail, path]);
    }
  };
  for (const path of sources.keys()) visit(path, []);
  return found;
}

const sources: Sources = new Map(
  readdirSync(new URL('../src', import.meta.url), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(?:[cm]?[jt]sx?|json)$/.test(path))
    .map((path) => [`src/${path}`, readFileSync(new URL(`../src/${path}`, import.meta.url), 'utf8')]),
);

describe('the rooms of src/', () => {
  it('hold the table of who may import whom', () => {
    expect(sources.size).toBeGreaterThan(50);
    expect(violations(sources)).toEqual([]);
  });

  it('have no circles of imports', () => {
    expect(cycles(sources)).toEqual([]);
  });

  it('have all six rooms of the core', () => {
    const rooms = new Set([...sources.keys()].map(roomOf));
    expect(core.filter((room) => !rooms.has(room))).toEqual([]);
  });
});

describe('the check of the rooms itself', () => {
  const fine = {
    'src/failures/failure.ts': 'export const a = 1;',
    'src/image/digest.ts':
      "import { createHash } from 'node:crypto'; import { a } from '../failures/failure.ts';",
    'src/registry/registry-client.ts': "import { request } from 'undici'; import '../image/digest.ts';",
    'src/referrers/source.ts': "import '../registry/registry-client.ts';",
    'src/cli/program.ts': "import { a } from '../failures/failure.ts'; process.exit(1);",
    'src/compose/engine.ts': "import '../registry/registry-client.ts'; import '../cli/program.ts';",
    'src/main.ts': "import './compose/engine.ts'; import './cli/program.ts';",
  };

  const sample = (changes: Record<string, string>): Sources =>
    new Map(Object.entries({ ...fine, ...changes }));

  it('finds nothing in what is right', () => {
    expect(violations(sample({}))).toEqual([]);
    expect(cycles(sample({}))).toEqual([]);
  });

  it.each([
    [
      'src/failures/failure.ts',
      "import '../image/digest.ts';",
      'is in failures/ and imports src/image/digest.ts',
    ],
    [
      'src/image/digest.ts',
      "export type { X } from '../registry/registry-client.ts';",
      'is in image/ and imports src/registry/registry-client.ts',
    ],
    [
      'src/image/digest.ts',
      "type X = import('../cli/program.ts').X;",
      'is in image/ and imports src/cli/program.ts',
    ],
    [
      'src/image/digest.ts',
      "const x = await import('../cli/program.ts');",
      'is in image/ and imports src/cli/program.ts',
    ],
    [
      'src/image/digest.ts',
      'const x = await import(name);',
      'imports something that is only known when it runs',
    ],
    [
      'src/image/digest.ts',
      "import { readFile } from 'node:fs/promises';",
      'is core and imports node:fs/promises',
    ],
    ['src/image/digest.ts', "import net from 'net';", 'is core and imports net'],
    ['src/image/digest.ts', "import { request } from 'undici';", 'is core and imports undici'],
    [
      'src/image/digest.ts',
      "import type { V1Pod } from '@kubernetes/client-node';",
      'is core and imports @kubernetes/client-node',
    ],
    ['src/image/digest.ts', 'export const home = process.env.HOME;', 'is core and touches process'],
    [
      'src/image/digest.ts',
      'export const home = globalThis.process.env.HOME;',
      'is core and touches process',
    ],
    ['src/image/digest.ts', "export const answer = fetch('https://ghcr.io');", 'is core and touches fetch'],
    [
      'src/registry/registry-client.ts',
      "import '../cli/program.ts';",
      'is in registry/ and imports src/cli/program.ts',
    ],
    [
      'src/registry/registry-client.ts',
      "import '../referrers/source.ts';",
      'is in registry/ and imports src/referrers/source.ts',
    ],
    ['src/cli/program.ts', "import '../compose/engine.ts';", 'is in cli/ and imports src/compose/engine.ts'],
    ['src/cli/program.ts', "import '../../test/support/x.ts';", 'imports test/support/x.ts from outside src'],
    ['src/cli/program.ts', "import '../../e2e/run.ts';", 'imports e2e/run.ts from outside src'],
    [
      'src/cli/program.ts',
      "import facts from '../../package.json' with { type: 'json' };",
      'imports package.json from outside src',
    ],
    ['src/cli/program.ts', "import './gone.ts';", 'imports src/cli/gone.ts, which does not exist'],
    [
      'src/main.ts',
      "import './registry/registry-client.ts';",
      'imports src/registry/registry-client.ts: only compose/ wires edges',
    ],
    ['src/utils.ts', '', 'is in no room'],
    ['src/misc/thing.ts', '', 'is in no known room'],
    ['src/image/imageDigest.ts', '', 'is not named in kebab-case'],
    ['src/image/Digest.ts', '', 'is not named in kebab-case'],
  ])('finds in %s: %s', (path, text, complaint) => {
    expect(violations(sample({ [path]: text }))).toEqual([`${path}: ${complaint}`]);
  });

  it('leaves a property and a parameter type of that name alone', () => {
    const text = 'export interface Access { fetch(): void } export const a = (b: Access) => b.fetch();';
    expect(violations(sample({ 'src/image/digest.ts': text }))).toEqual([]);
  });

  it('finds a circle, and none where only types are meant', () => {
    const circle = (word: string): Sources =>
      sample({
        'src/image/a.ts': "import { b } from './b.ts';",
        'src/image/b.ts': "import { c } from './c.ts';",
        'src/image/c.ts': `import ${word}{ a } from './a.ts';`,
      });
    expect(cycles(circle(''))).toEqual([
      'src/image/a.ts -> src/image/b.ts -> src/image/c.ts -> src/image/a.ts',
    ]);
    expect(cycles(circle('type '))).toEqual([]);
  });
});
