import { Composer, CST, isCollection, isScalar, LineCounter, Parser, visit, YAMLError } from 'yaml';
import type { Document } from 'yaml';
import { RefwardenError } from '../failures/failure.ts';
import { maxJsonDepth, parseStrictJson } from '../oci/strict-json.ts';
import { directoryLimits } from './limits.ts';

/** One document of a file as plain data, not yet looked at. */
export interface SourceDocument {
  /** `prod.yaml, document 2` */
  readonly where: string;
  readonly value: unknown;
}

/**
 * Parses a file to its documents; empty ones are left out, and a file of none is refused. A document that two readers could read differently is
 * refused: keys given twice, keys that are no text, tags that nobody resolves. So is one that nests without end.
 * @throws RefwardenError `PolicyInvalid`.
 */
export function parseDocuments(file: string, bytes: Uint8Array): SourceDocument[] {
  if (file.endsWith('.json')) {
    const where = `${file}, document 1`;
    return [{ where, value: parseStrictJson(bytes, where, 'PolicyInvalid') }];
  }
  const lines = new LineCounter();
  const documents = parseYaml(file, bytes, lines);
  if (documents.length > directoryLimits.maxDocuments) {
    throw new RefwardenError(
      'PolicyInvalid',
      `${file}: has ${documents.length} documents, more than ${directoryLimits.maxDocuments}: split it.`,
    );
  }
  const found = documents.flatMap((document, index) => {
    const where = `${file}, document ${index + 1}`;
    const value = plain(document, where, lines);
    return value === null || value === undefined ? [] : [{ where, value }];
  });
  if (found.length > 0) return found;
  // A write cut short and a full disk leave exactly this; nobody empties a file to withdraw a policy.
  throw new RefwardenError('PolicyInvalid', `${file}: holds nothing: delete the file if it is meant to.`);
}

function parseYaml(file: string, bytes: Uint8Array, lines: LineCounter): Document.Parsed[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new RefwardenError('PolicyInvalid', `${file}: is not valid UTF-8: save it as UTF-8.`, cause);
  }
  // Keys given twice are looked for below: the package's own search is quadratic.
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    strict: true,
    uniqueKeys: false,
    logLevel: 'silent',
  });
  try {
    return [...composer.compose(refuseDepth(new Parser(lines.addNewLine).parse(text), file))];
  } catch (cause) {
    throw cause instanceof RefwardenError ? cause : notYaml(file, cause, lines);
  }
}

/** The composer descends by recursion: what is too deep never gets there. */
function* refuseDepth(tokens: Iterable<CST.Token>, file: string): Generator<CST.Token> {
  for (const token of tokens) {
    if (token.type === 'document') {
      CST.visit(token, (_item, path) => {
        if (path.length <= maxJsonDepth) return;
        throw new RefwardenError('PolicyInvalid', `${file}: is nested deeper than ${maxJsonDepth}.`);
      });
    }
    yield token;
  }
}

function plain(document: Document.Parsed, where: string, lines: LineCounter): unknown {
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw notYaml(where, problem, lines);
  try {
    refuseAmbiguity(document, where);
    return document.toJS({ maxAliasCount: directoryLimits.maxAliasCount });
  } catch (cause) {
    throw cause instanceof RefwardenError ? cause : notYaml(where, cause, lines);
  }
}

function refuseAmbiguity(document: Document.Parsed, where: string): void {
  visit(document, {
    Alias: (_, { source }, path) => {
      if (!path.some((node) => isCollection(node) && node.anchor === source)) return;
      const shown = JSON.stringify(source.slice(0, 60));
      throw new RefwardenError('PolicyInvalid', `${where}: the alias ${shown} stands within what it names.`);
    },
    Map: (_, map) => {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key) || typeof key.value !== 'string') {
          throw new RefwardenError('PolicyInvalid', `${where}: has a key that is no text: put it in quotes.`);
        }
        const shown = JSON.stringify(key.value.slice(0, 60));
        if (key.value === '__proto__') {
          throw new RefwardenError('PolicyInvalid', `${where}: has a key ${shown}: remove it.`);
        }
        if (seen.has(key.value)) {
          throw new RefwardenError(
            'PolicyInvalid',
            `${where}: has the key ${shown} twice in one map: remove one.`,
          );
        }
        seen.add(key.value);
      }
    },
  });
}

/** The package's message may show as much of the text as there is. Characters. */
const maxShownLength = 200;

function notYaml(where: string, cause: unknown, lines: LineCounter): RefwardenError {
  const message = cause instanceof Error ? cause.message.slice(0, maxShownLength) : '';
  const at = cause instanceof YAMLError && cause.pos[0] >= 0 ? lines.linePos(cause.pos[0]) : undefined;
  const position = at === undefined ? '' : ` at line ${at.line}, column ${at.col}`;
  return new RefwardenError(
    'PolicyInvalid',
    `${where}: is not acceptable YAML: ${message}${position}.`,
    cause,
  );
}
