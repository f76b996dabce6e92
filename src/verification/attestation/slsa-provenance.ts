import { RefwardenError } from '../../failures/failure.ts';
import { isJsonObject } from '../../oci/strict-json.ts';
import type { Json, JsonObject } from '../../oci/strict-json.ts';
import { objectField, objectsField, textField } from '../json-fields.ts';
import type { ProvenanceMaterial, ProvenanceView } from './provenance-view.ts';
import { findSource, sourceOfConfig, sourceOfParameters } from './provenance-source.ts';

const typePrefix = 'https://slsa.dev/provenance/';
/** Most materials of one build; that of a large monorepo has thousands. */
export const maxMaterials = 20_000;
/** Most digests of one material. */
const maxMaterialDigests = 16;

/**
 * Reads SLSA provenance v0.2 and v1 (slsa.dev/spec). Undefined for what is none by its type.
 * @throws RefwardenError `FormatUnsupported` for another version, `PayloadInvalid`, or `ArtifactTooLarge` past a bound.
 */
export function readProvenance(
  predicateType: string,
  predicate: Json | undefined,
): ProvenanceView | undefined {
  if (!predicateType.startsWith(typePrefix)) return undefined;
  const version = predicateType.slice(typePrefix.length);
  const read = versions.get(version);
  if (read === undefined) {
    throw new RefwardenError(
      'FormatUnsupported',
      'The provenance is of a version other than SLSA v0.2 and v1.',
    );
  }
  if (!isJsonObject(predicate))
    throw new RefwardenError('PayloadInvalid', 'The provenance is not a JSON object.');
  return read(predicate);
}

const versions: ReadonlyMap<string, (predicate: JsonObject) => ProvenanceView> = new Map([
  ['v0.2', readV02],
  ['v1', readV1],
]);

function readV02(predicate: JsonObject): ProvenanceView {
  const metadata = objectField(predicate, 'metadata');
  const materials = readMaterials(predicate, 'materials');
  return {
    builder: builderOf(predicate),
    buildType: textField(predicate, 'buildType'),
    ...findSource(sourceOfConfig(objectField(predicate, 'invocation')['configSource']), materials),
    invocationId: invocationOf(metadata, 'buildInvocationId', 'buildInvocationID'),
    startedOn: textField(metadata, 'buildStartedOn'),
    finishedOn: textField(metadata, 'buildFinishedOn'),
    materials,
  };
}

function readV1(predicate: JsonObject): ProvenanceView {
  const definition = objectField(predicate, 'buildDefinition');
  const details = objectField(predicate, 'runDetails');
  const metadata = objectField(details, 'metadata');
  const materials = readMaterials(definition, 'resolvedDependencies');
  return {
    builder: builderOf(details),
    buildType: textField(definition, 'buildType'),
    ...findSource(sourceOfParameters(objectField(definition, 'externalParameters')), materials),
    invocationId: invocationOf(metadata, 'invocationId', 'invocationID'),
    startedOn: textField(metadata, 'startedOn'),
    finishedOn: textField(metadata, 'finishedOn'),
    materials,
  };
}

/** BuildKit leaves it empty unless it is told. */
function builderOf(holder: JsonObject): string {
  if (holder['builder'] === undefined)
    throw new RefwardenError('PayloadInvalid', 'The provenance has no builder.');
  return textField(objectField(holder, 'builder'), 'id');
}

/** @param gosName what in-toto's Go library writes, and BuildKit with it. */
function invocationOf(metadata: JsonObject, name: string, gosName: string): string {
  const id = textField(metadata, name);
  return id === '' ? textField(metadata, gosName) : id;
}

function readMaterials(holder: JsonObject, key: string): readonly ProvenanceMaterial[] {
  const materials = objectsField(holder, key);
  if (materials.length > maxMaterials) tooLarge(`more than ${maxMaterials} materials`);
  return materials.map((material) => ({ uri: textField(material, 'uri'), digest: readDigest(material) }));
}

function readDigest(material: JsonObject): Readonly<Record<string, string>> {
  const digest = objectField(material, 'digest');
  const algorithms = Object.keys(digest);
  if (algorithms.length > maxMaterialDigests)
    tooLarge(`more than ${maxMaterialDigests} digests of one material`);
  return Object.fromEntries(algorithms.map((algorithm) => [algorithm, textField(digest, algorithm)]));
}

function tooLarge(what: string): never {
  throw new RefwardenError('ArtifactTooLarge', `The provenance has ${what}.`);
}
