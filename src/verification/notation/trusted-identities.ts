import { RefwardenError } from '../../failures/failure.ts';
import { excerpt } from '../excerpt.ts';
import { parseDistinguishedName } from './distinguished-name.ts';
import type { DistinguishedName } from './distinguished-name.ts';

/** Attributes with their values, each type once. */
export type NameParts = ReadonlyMap<string, string>;

/** Subjects that may sign, or anybody whose certificate leads to a trust store. */
export type TrustedIdentities = 'Any' | readonly NameParts[];

const prefix = 'x509.subject:';
const mandatory = ['C', 'ST', 'O'];

/**
 * Compiles `trustedIdentities` (trust-store-trust-policy.md "Trusted Identities Constraints").
 * @throws RefwardenError `IssuerInvalid`: which of them is at fault, and why.
 */
export function compileTrustedIdentities(texts: readonly string[]): TrustedIdentities {
  if (texts.length === 0) refuse('there must be one');
  if (texts.includes('*')) return texts.length === 1 ? 'Any' : refuse('* stands alone');
  const identities = texts.map((text) => ({ text, parts: parseIdentity(text) }));
  for (const one of identities) {
    const other = identities.find((each) => each !== one && isPartOf(one.parts, each.parts));
    if (other !== undefined) refuse(`${shown(other.text)} is within ${shown(one.text)}`);
  }
  return identities.map(({ parts }) => parts);
}

/** Whether a subject is one of the identities: each attribute of an identity must be in it, with the same value. */
export function isTrustedSubject(identities: TrustedIdentities, subject: DistinguishedName): boolean {
  if (identities === 'Any') return true;
  const parts = partsOf(subject);
  return typeof parts !== 'string' && identities.some((identity) => isPartOf(identity, parts));
}

function parseIdentity(text: string): NameParts {
  if (!text.startsWith(prefix)) refuse(`${shown(text)} is neither * nor begins with ${prefix}`);
  let name: DistinguishedName;
  try {
    name = parseDistinguishedName(text.slice(prefix.length));
  } catch (thrown) {
    if (!(thrown instanceof RefwardenError)) throw thrown;
    return refuse(`${shown(text)}: ${thrown.message.replace(/\.$/, '')}`);
  }
  const parts = partsOf(name);
  if (typeof parts === 'string') return refuse(`${shown(text)} ${parts}`);
  const missing = mandatory.filter((type) => !parts.has(type));
  return missing.length === 0 ? parts : refuse(`${shown(text)} lacks ${missing.join(', ')}`);
}

/** The attributes by type, or why they are not clear. */
function partsOf(name: DistinguishedName): NameParts | string {
  const parts = new Map<string, string>();
  for (const attributes of name) {
    const [attribute, another] = attributes;
    if (attribute === undefined || another !== undefined) return 'joins several attributes in one by +';
    if (parts.has(attribute.type)) return `has ${attribute.type} twice`;
    parts.set(attribute.type, attribute.value);
  }
  return parts;
}

const isPartOf = (part: NameParts, whole: NameParts): boolean =>
  [...part].every(([type, value]) => whole.get(type) === value);

const shown = (text: string): string => JSON.stringify(excerpt(text));

function refuse(what: string): never {
  throw new RefwardenError('IssuerInvalid', `trustedIdentities: ${what}.`);
}
