import { z } from 'zod';
import { RefwardenError } from '../failures/failure.ts';
import { describeIssues } from '../policy/model/describe-issues.ts';
import { groupVersion } from '../policy/model/metadata.ts';
import { parseResource, resourceKey, resourceSchemas } from '../policy/model/resource.ts';
import type { Resource } from '../policy/model/resource.ts';
import { directoryLimits } from './limits.ts';
import type { SourceDocument } from './parse-documents.ts';

/** What one file says. */
export interface FileObjects {
  /** Every object: its identity and where it stands. */
  readonly origins: ReadonlyMap<string, string>;
  readonly resources: readonly Resource[];
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** By name: a directory stands for the release namespace, so the ConfigMaps' own does not matter. */
  readonly configMaps: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

const texts = z.record(z.string(), z.string());
const named = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
const namespaceManifest = z.object({ metadata: z.object({ name: named, labels: texts.optional() }) });
const configMapManifest = z.object({ metadata: z.object({ name: named }), data: texts.optional() });

/**
 * Reads the objects of a file's documents. Lists are unrolled.
 * @throws RefwardenError `PolicyInvalid`, `IssuerInvalid` or `ConfigurationInvalid`: nothing of the file counts then.
 */
export function parseObjects(file: string, documents: readonly SourceDocument[]): FileObjects {
  const found = documents.flatMap(unrollList);
  if (found.length > directoryLimits.maxObjects) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      `${file}: has ${found.length} objects, more than ${directoryLimits.maxObjects}: split it.`,
    );
  }
  const origins = new Map<string, string>();
  const resources: Resource[] = [];
  const namespaces = new Map<string, Readonly<Record<string, string>>>();
  const configMaps = new Map<string, Readonly<Record<string, string>>>();
  const claim = (key: string, where: string): void => {
    const other = origins.get(key);
    if (other !== undefined) throw definedTwice(key, other, where);
    origins.set(key, where);
  };
  for (const { value, where } of found) {
    switch (kindOf(value)) {
      case 'Namespace': {
        const { name, labels } = parseManifest(namespaceManifest, value, where, 'Namespace').metadata;
        claim(`Namespace/${name}`, where);
        // As the API server does: whatever the manifest says.
        namespaces.set(name, { ...labels, 'kubernetes.io/metadata.name': name });
        break;
      }
      case 'ConfigMap': {
        const { metadata, data } = parseManifest(configMapManifest, value, where, 'ConfigMap');
        claim(`ConfigMap/${metadata.name}`, where);
        configMaps.set(metadata.name, data ?? {});
        break;
      }
      case 'Resource': {
        const resource = parseResource(value, where);
        claim(resourceKey(resource), where);
        resources.push(resource);
        break;
      }
      case undefined:
        throw otherKind(value, where);
    }
  }
  return { origins, resources, namespaces, configMaps };
}

export function definedTwice(key: string, first: string, second: string): RefwardenError {
  return new RefwardenError(
    'ConfigurationInvalid',
    `${key} is defined twice, in ${first} and in ${second}: remove one.`,
  );
}

interface Header {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
}

const headerOf = (value: unknown): Header => (typeof value === 'object' && value !== null ? value : {});

function kindOf(value: unknown): 'Namespace' | 'ConfigMap' | 'Resource' | undefined {
  const { apiVersion, kind } = headerOf(value);
  if (apiVersion === groupVersion) {
    return typeof kind === 'string' && Object.hasOwn(resourceSchemas, kind) ? 'Resource' : undefined;
  }
  return apiVersion === 'v1' && (kind === 'Namespace' || kind === 'ConfigMap') ? kind : undefined;
}

function unrollList(document: SourceDocument): SourceDocument[] {
  const { value, where } = document;
  const { kind } = headerOf(value);
  if (typeof kind !== 'string' || !kind.endsWith('List')) return [document];
  const { items } = value as { items?: unknown };
  if (!Array.isArray(items)) {
    throw new RefwardenError(
      'PolicyInvalid',
      `${where}: items: a ${kind.slice(0, 100)} must have a list of objects.`,
    );
  }
  return items.map((item: unknown, index) => ({ value: item, where: `${where}, items[${index}]` }));
}

function parseManifest<T extends z.ZodType>(
  schema: T,
  value: unknown,
  where: string,
  kind: string,
): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RefwardenError(
    'ConfigurationInvalid',
    `${where}: ${kind}: ${describeIssues(parsed.error.issues)}: correct it, with values as text in quotes.`,
  );
}

function otherKind(value: unknown, where: string): RefwardenError {
  const { apiVersion, kind } = headerOf(value);
  const shown = (part: unknown): string => (part === undefined ? 'none' : JSON.stringify(part).slice(0, 100));
  const kinds = Object.keys(resourceSchemas).join(', ');
  return new RefwardenError(
    'PolicyInvalid',
    `${where}: apiVersion ${shown(apiVersion)} and kind ${shown(kind)} are not read from a policy directory: it takes ${kinds} (${groupVersion}), Namespace and ConfigMap (v1). Correct what is misspelt, or move the object elsewhere.`,
  );
}
