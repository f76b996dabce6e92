import { RefwardenError } from '../../failures/failure.ts';
import type { JsonObject } from '../../oci/strict-json.ts';
import { excerpt } from '../excerpt.ts';
import { isObjectList, objectField, objectsField, textField } from '../json-fields.ts';
import { readableSboms } from './sbom-reader.ts';
import type { PackageFields, SbomReader } from './sbom-reader.ts';

const versionPattern = /^SPDX-(2\.[23])$/;
const context3Pattern = /^https?:\/\/spdx\.org\/rdf\/3\./;
const agentPattern = /^(?:Organization|Person): */;

/** SPDX 2.2 and 2.3 as JSON (SPDX 2.3, clauses 6 and 7). */
export const spdx: SbomReader = {
  format: 'SPDX',
  predicateType: 'https://spdx.dev/Document',
  // Bare or with a version (in-toto attestation predicates, spdx.md).
  predicateTypePattern: /^https:\/\/spdx\.dev\/Document(?:\/v[0-9]+(?:\.[0-9]+){0,2})?$/,
  readVersion(document) {
    const version = readVersion(document);
    if (document['SPDXID'] !== 'SPDXRef-DOCUMENT') refuse('has no SPDXID "SPDXRef-DOCUMENT"');
    if (typeof document['name'] !== 'string') refuse('has no name');
    if (readCreated(document) === '') refuse('has no creationInfo.created');
    const packages = document['packages'];
    if (packages !== undefined && !isObjectList(packages))
      refuse('has packages that are not a list of objects');
    return version;
  },
  readCreated,
  readPackages: (document) => objectsField(document, 'packages').map(readPackage),
};

function readVersion(document: JsonObject): string {
  const { spdxVersion } = document;
  if (typeof spdxVersion !== 'string') {
    const context = document['@context'];
    if (typeof context === 'string' && context3Pattern.test(context)) return unsupported('SPDX 3');
    return refuse('has no spdxVersion');
  }
  return versionPattern.exec(spdxVersion)?.[1] ?? unsupported(excerpt(spdxVersion));
}

function readCreated({ creationInfo }: JsonObject): string {
  return textField(objectField({ creationInfo }, 'creationInfo'), 'created');
}

function readPackage(entry: JsonObject): PackageFields {
  const purl = objectsField(entry, 'externalRefs').find(({ referenceType }) => referenceType === 'purl');
  const supplier = textField(entry, 'supplier');
  return {
    name: textField(entry, 'name'),
    group: '',
    version: textField(entry, 'versionInfo'),
    purl: purl === undefined ? '' : textField(purl, 'referenceLocator'),
    licenses: [textField(entry, 'licenseConcluded'), textField(entry, 'licenseDeclared')],
    supplier: supplier === 'NOASSERTION' ? '' : supplier.replace(agentPattern, ''),
  };
}

function refuse(what: string): never {
  throw new RefwardenError('PayloadInvalid', `The SPDX document ${what}.`);
}

function unsupported(version: string): never {
  throw new RefwardenError('FormatUnsupported', `The SBOM is ${version}. Make it ${readableSboms}.`);
}
