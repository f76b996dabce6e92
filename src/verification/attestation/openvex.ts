import { RefwardenError } from '../../failures/failure.ts';
import { isJsonObject } from '../../oci/strict-json.ts';
import type { Json, JsonObject } from '../../oci/strict-json.ts';
import { objectField, objectsField, requiredObjects, textField } from '../json-fields.ts';
import type { VexStatement, VexStatus, VexView } from './vex-view.ts';

/** Bare or with a version (OpenVEX ATTESTING.md). */
const typePattern = /^https:\/\/openvex\.dev\/ns(?:\/v[0-9]+(?:\.[0-9]+){0,2})?$/;
/** Most statements of a document. */
export const maxVexStatements = 20_000;
/** Most products, with their subcomponents, of all statements together. */
export const maxVexProducts = 100_000;

const statuses: ReadonlyMap<string, VexStatus> = new Map([
  ['not_affected', 'notAffected'],
  ['affected', 'affected'],
  ['fixed', 'fixed'],
  ['under_investigation', 'underInvestigation'],
]);

/**
 * Reads an OpenVEX document (openvex.dev/ns v0.2.0, and those before it). Undefined for what is none by its type.
 * @throws RefwardenError `PayloadInvalid`, or `ArtifactTooLarge` past a bound.
 */
export function readOpenVex(predicateType: string, predicate: Json | undefined): VexView | undefined {
  if (!typePattern.test(predicateType)) return undefined;
  if (!isJsonObject(predicate)) return refuse('is not a JSON object');
  const context = predicate['@context'];
  if (typeof context !== 'string' || !typePattern.test(context)) refuse('has no @context of OpenVEX');
  const statements = requiredObjects(predicate, 'statements');
  if (statements.length > maxVexStatements) tooLarge(`more than ${maxVexStatements} statements`);
  const timestamp = textField(predicate, 'timestamp');
  const grouped: Record<VexStatus, VexStatement[]> = {
    notAffected: [],
    affected: [],
    fixed: [],
    underInvestigation: [],
  };
  let products = 0;
  for (const statement of statements) {
    const status = statuses.get(textField(statement, 'status'));
    if (status === undefined) return refuse('has a statement whose status is none of OpenVEX');
    const read = readStatement(statement, timestamp);
    products += read.products.length + read.subcomponents.length;
    if (products > maxVexProducts) tooLarge(`more than ${maxVexProducts} products`);
    grouped[status].push(read);
  }
  return { author: textField(predicate, 'author'), timestamp, ...grouped };
}

function readStatement(statement: JsonObject, documentTime: string): VexStatement {
  const { products, subcomponents } = statement;
  const listed = components({ products }, 'products');
  const timestamp = textField(statement, 'timestamp');
  return {
    vulnerability: readVulnerability(statement),
    products: listed.map(nameOf),
    subcomponents: [
      ...components({ subcomponents }, 'subcomponents'),
      ...listed.flatMap((product) => objectsField(product, 'subcomponents')),
    ].map(nameOf),
    justification: textField(statement, 'justification'),
    timestamp: timestamp === '' ? documentTime : timestamp,
  };
}

/** Text until v0.1, an object since. */
function readVulnerability(statement: JsonObject): string {
  const { vulnerability } = statement;
  if (typeof vulnerability === 'string' && vulnerability !== '') return vulnerability;
  const described = objectField({ vulnerability }, 'vulnerability');
  const name = textField(described, 'name') || textField(described, '@id');
  return name === '' ? refuse('has a statement that names no vulnerability') : name;
}

/** Texts until v0.1, objects since. */
function components(holder: JsonObject, key: string): readonly JsonObject[] {
  const value = holder[key];
  const isTexts = Array.isArray(value) && value.every((entry) => typeof entry === 'string');
  return isTexts ? value.map((id) => ({ '@id': id })) : objectsField(holder, key);
}

/** Its IRI, else the package URL among its identifiers. */
const nameOf = (component: JsonObject): string =>
  textField(component, '@id') || textField(objectField(component, 'identifiers'), 'purl');

function refuse(what: string): never {
  throw new RefwardenError('PayloadInvalid', `The OpenVEX document ${what}.`);
}

function tooLarge(what: string): never {
  throw new RefwardenError('ArtifactTooLarge', `The OpenVEX document has ${what}.`);
}
