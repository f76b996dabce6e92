import { isJsonObject } from '../../oci/strict-json.ts';
import type { Json, JsonObject } from '../../oci/strict-json.ts';
import type { ProvenanceMaterial, ProvenanceView } from './provenance-view.ts';
import { parseSourceLocation } from './source-location.ts';
import type { SourceLocation } from './source-location.ts';

/** What a builder says it was told to build. */
interface ToldSource extends SourceLocation {
  /** Its commit, as far as it is said with it. */
  readonly digest: string;
}

/** Algorithms that name a commit; GitLab calls a SHA-1 commit `sha256`. */
const commitAlgorithms = ['gitCommit', 'sha1', 'sha256'] as const;
const commitPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;

/** `{uri, digest}`: v0.2's `configSource`, BuildKit's in v1, and the source of container-based builds. */
export function sourceOfConfig(value: Json | undefined): ToldSource | undefined {
  if (!isJsonObject(value)) return undefined;
  const { uri, digest } = value;
  if (typeof uri !== 'string' || uri === '') return undefined;
  return { ...parseSourceLocation(uri), digest: isJsonObject(digest) ? commitOf(digest) : '' };
}

/**
 * What is at the source's place among the parameters of v1, which every build type has in its own way: GitHub and npm
 * `workflow`, Google Cloud Build `buildConfigSource`, BuildKit `configSource`, GitLab and container-based builds `source`.
 */
export function sourceOfParameters(parameters: JsonObject): ToldSource | undefined {
  const { workflow, buildConfigSource, configSource, source } = parameters;
  return (
    sourceOfRepository(workflow) ??
    sourceOfRepository(buildConfigSource) ??
    sourceOfConfig(configSource) ??
    sourceOfConfig(typeof source === 'string' ? { uri: source } : source)
  );
}

/** `{repository, ref}`. */
function sourceOfRepository(value: Json | undefined): ToldSource | undefined {
  if (!isJsonObject(value)) return undefined;
  const { repository, ref } = value;
  if (typeof repository !== 'string' || repository === '') return undefined;
  const location = parseSourceLocation(repository);
  return { ...location, ...(typeof ref === 'string' && ref !== '' ? { ref } : {}), digest: '' };
}

/**
 * The source of a build, with the commit that the materials say of it. A material alone is no source: it may be any
 * dependency. What is not certain stays empty.
 */
export function findSource(
  told: ToldSource | undefined,
  materials: readonly ProvenanceMaterial[],
): Pick<ProvenanceView, 'sourceUri' | 'sourceRef' | 'sourceDigest'> {
  if (told === undefined) return { sourceUri: '', sourceRef: '', sourceDigest: '' };
  const same = materials.flatMap(({ uri, digest }) => {
    const { repository, ref } = parseSourceLocation(uri);
    const isSame = repository === told.repository && (told.ref === '' || ref === '' || ref === told.ref);
    return isSame ? [{ ref, digest: commitOf(digest) }] : [];
  });
  return {
    sourceUri: told.repository,
    sourceRef: told.ref === '' ? only(same.map(({ ref }) => ref)) : told.ref,
    sourceDigest: told.digest === '' ? only(same.map(({ digest }) => digest)) : told.digest,
  };
}

/** What all say that say something; empty when two differ. */
function only(texts: readonly string[]): string {
  const [first = '', ...others] = new Set(texts.filter((text) => text !== ''));
  return others.length === 0 ? first : '';
}

function commitOf(digest: Readonly<Record<string, Json | undefined>>): string {
  for (const algorithm of commitAlgorithms) {
    const hex = Object.hasOwn(digest, algorithm) ? digest[algorithm] : undefined;
    if (typeof hex === 'string' && commitPattern.test(hex)) return hex.toLowerCase();
  }
  return '';
}
