import { RefwardenError } from '../../failures/failure.ts';
import type { JsonObject } from '../../oci/strict-json.ts';
import { excerpt } from '../excerpt.ts';
import { isObjectList, objectField, objectsField, textField } from '../json-fields.ts';
import { readableSboms } from './sbom-reader.ts';
import type { PackageFields, SbomReader } from './sbom-reader.ts';

const versionPattern = /^1\.[2-7]$/;

/** CycloneDX 1.2 to 1.7 as JSON (ECMA-424 and the schemas before it). */
export const cyclonedx: SbomReader = {
  format: 'CycloneDX',
  predicateType: 'https://cyclonedx.org/bom',
  // Bare or with a version (in-toto attestation predicates, cyclonedx.md).
  predicateTypePattern: /^https:\/\/cyclonedx\.org\/bom(?:\/v[0-9]+(?:\.[0-9]+){0,2})?$/,
  readVersion(document) {
    if (document['bomFormat'] !== 'CycloneDX') return refuse('has no bomFormat "CycloneDX"');
    const { specVersion } = document;
    if (typeof specVersion !== 'string') return refuse('has no specVersion');
    if (!versionPattern.test(specVersion)) return unsupported(specVersion);
    const { components } = document;
    if (components !== undefined && !isObjectList(components))
      refuse('has components that are not a list of objects');
    return specVersion;
  },
  readCreated: (document) => textField(objectField(document, 'metadata'), 'timestamp'),
  readPackages,
};

/**
 * What the SBOM is about, which SPDX lists among its packages, and every component in the order of the document, those
 * within components too.
 */
function* readPackages(document: JsonObject): Generator<PackageFields> {
  const metadata = objectField(document, 'metadata');
  const subject = objectField(metadata, 'component');
  if ((metadata['component'] ?? null) !== null) yield readComponent(subject);
  const lists = [document, subject].map((holder) => objectsField(holder, 'components').values());
  for (let list = lists.at(-1); list !== undefined; list = lists.at(-1)) {
    const next = list.next();
    if (next.done === true) {
      lists.pop();
      continue;
    }
    const component = readComponent(next.value);
    if (!isMereFile(next.value, component)) yield component;
    lists.push(objectsField(next.value, 'components').values());
  }
}

function readComponent(component: JsonObject): PackageFields {
  const supplier = textField(objectField(component, 'supplier'), 'name');
  return {
    name: textField(component, 'name'),
    group: textField(component, 'group'),
    version: textField(component, 'version'),
    purl: textField(component, 'purl'),
    // cyclonedx-gomod writes what it found as evidence alone.
    licenses: [component, objectField(component, 'evidence')].flatMap((holder) =>
      objectsField(holder, 'licenses').flatMap(readLicense),
    ),
    supplier: supplier === '' ? textField(component, 'publisher') : supplier,
  };
}

/** Syft lists the files that it read; in SPDX they are no packages either. Before 1.4 each has to have a version. */
const isMereFile = ({ type }: JsonObject, { purl, licenses }: PackageFields): boolean =>
  type === 'file' && purl === '' && licenses.length === 0;

function readLicense(choice: JsonObject): readonly string[] {
  const license = objectField(choice, 'license');
  return [textField(choice, 'expression'), textField(license, 'id'), textField(license, 'name')];
}

function refuse(what: string): never {
  throw new RefwardenError('PayloadInvalid', `The CycloneDX document ${what}.`);
}

function unsupported(version: string): never {
  throw new RefwardenError(
    'FormatUnsupported',
    `The SBOM is CycloneDX ${excerpt(version)}. Make it ${readableSboms}.`,
  );
}
