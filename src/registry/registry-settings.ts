import { z } from 'zod';
import { parseStrictYaml } from '../oci/strict-yaml.ts';
import { RefwardenError } from '../failures/failure.ts';
import { isPlainHost, isRepositoryPath, normalizeRegistry } from '../image/reference.ts';
import { mechanisms } from '../policy/evidence.ts';
import type { Mechanism } from '../policy/evidence.ts';
import { cloudProviders } from './cloud/cloud-credentials.ts';
import { cloudNames } from './cloud/cloud-provider.ts';
import type { CloudName } from './cloud/cloud-provider.ts';
import { highestRegistryLimits } from './limits.ts';
import type { RegistryLimits } from './limits.ts';

/** Longest settings text, characters. */
const maxSettingsLength = 256 * 1024;
export const maxRegistries = 1_000;
/** Longest path of a file, or URL of a proxy, characters. */
const maxPathLength = 4_096;

/**
 * How one registry is reached. A host that is listed, or named as a mirror, is also allowed by name: it may be at a
 * loopback or link-local address, and other registries may redirect to it.
 */
export interface RegistrySettings {
  /** `host` or `host:port`, exact. */
  readonly host: string;
  /** HTTP without TLS; for registries on a trusted network only. */
  readonly plainHttp?: boolean | undefined;
  /** Where referrers are looked for. `References`, the founding proposal's API, is asked only when listed. */
  readonly mechanisms?: readonly Mechanism[] | undefined;
  /** The host that is asked instead, with its own credentials and connection settings. */
  readonly mirror?: string | undefined;
  /** Put before each repository in what is asked: `dockerhub` makes `/v2/dockerhub/library/nginx/`. */
  readonly prefix?: string | undefined;
  /** `http(s)://host:port` of a proxy that connects to this host, and to hosts without settings that it names. */
  readonly proxy?: string | undefined;
  /** The cloud that gives the process credentials for this host by its identity. */
  readonly credentials?: CloudName | undefined;
  /** PEM: the authorities that are trusted for this host, and no others. */
  readonly ca?: string | undefined;
  /** PEM: shown to this host, and only when its own images are asked for. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string } | undefined;
}

/** An entry of the file: TLS material is named by path. */
export interface RegistryEntry extends Omit<RegistrySettings, 'ca' | 'clientCertificate'> {
  readonly caFile?: string | undefined;
  readonly clientCertificate?: { readonly certFile: string; readonly keyFile: string } | undefined;
}

/** What every registry without settings of its own is asked for. */
export const defaultMechanisms: readonly Mechanism[] = ['Referrers', 'FallbackTag', 'CosignTag'];

const hostMessage = 'is no registry host; write host or host:port in lower case, without scheme and path';
// The regular expression gives the chart's schema of values its pattern; isHost decides.
export const hostSchema = z
  .string()
  .max(255)
  .regex(/^[a-z0-9[][a-z0-9.:[\]_-]*$/, { error: hostMessage, abort: true })
  .refine(isHost, hostMessage);
const pathSchema = z.string().min(1, 'names no file').max(maxPathLength);

/** What can be said of one entry alone. */
export const registryEntry = z.strictObject({
  host: hostSchema,
  plainHttp: z.boolean().optional(),
  mechanisms: z
    .array(z.enum(mechanisms))
    .min(1, 'must name at least one mechanism')
    .refine((list) => new Set(list).size === list.length, 'names a mechanism twice')
    .optional(),
  mirror: hostSchema.optional(),
  prefix: z
    .string()
    .refine(
      isRepositoryPath,
      'is no path of a repository; write segments in lower case, as in team/dockerhub',
    )
    .optional(),
  proxy: z
    .string()
    .max(maxPathLength)
    .refine(isProxy, 'is no proxy; write http://host:port or https://host:port, without user and path')
    .optional(),
  credentials: z.enum(cloudNames).optional(),
  caFile: pathSchema.optional(),
  clientCertificate: z.strictObject({ certFile: pathSchema, keyFile: pathSchema }).optional(),
});

/** What a settings file says; limits that it does not name keep their defaults. */
export interface SettingsFile {
  readonly registries: readonly RegistryEntry[];
  readonly limits: Partial<RegistryLimits>;
}

/** Whole numbers, each optional. */
export const registryLimits = z.strictObject(
  Object.fromEntries(
    Object.entries(highestRegistryLimits).map(([name, highest]: [string, number]) => [
      name,
      z.exactOptional(z.int().min(1).max(highest)),
    ]),
  ),
);

const fileSchema: z.ZodType<SettingsFile> = z.strictObject({
  registries: z
    .array(registryEntry)
    .max(maxRegistries)
    .refine((list) => new Set(list.map(({ host }) => host)).size === list.length, 'names a host twice')
    .superRefine((list, context) => {
      for (const [index, entry] of list.entries()) {
        for (const { field, why } of contradictions(entry, list)) {
          context.addIssue({ code: 'custom', path: [index, field], message: why });
        }
      }
    })
    .default([]),
  limits: registryLimits.default({}),
});

/** Which fields of an entry contradict the others, and what to do. */
export function contradictions(
  entry: RegistryEntry,
  all: readonly RegistryEntry[],
): { readonly field: keyof RegistryEntry; readonly why: string }[] {
  const { host, mirror, plainHttp } = entry;
  const found: { field: keyof RegistryEntry; why: string }[] = [];
  const refusal =
    entry.credentials === undefined ? undefined : cloudProviders[entry.credentials].refuses(host);
  if (refusal !== undefined) found.push({ field: 'credentials', why: `does not fit: the host ${refusal}` });
  if (mirror !== undefined) {
    if (mirror === host) found.push({ field: 'mirror', why: 'is the host itself; leave it out' });
    else if (all.some((other) => other.host === mirror && other.mirror !== undefined))
      found.push({ field: 'mirror', why: 'has a mirror of its own; name the host that is to be asked' });
    for (const field of ['plainHttp', 'credentials', 'caFile', 'clientCertificate', 'proxy'] as const) {
      if (entry[field] === undefined || entry[field] === false) continue;
      found.push({
        field,
        why: `is not used, as ${mirror} is asked instead; put it into the entry of that host`,
      });
    }
  } else if (plainHttp === true) {
    for (const field of ['credentials', 'caFile', 'clientCertificate'] as const) {
      if (entry[field] === undefined) continue;
      found.push({ field, why: 'is of no use over plain HTTP; leave it out, or plainHttp' });
    }
  }
  return found;
}

/**
 * Parses the text of `registries.yaml`: `registries: [{host, ...}]` as {@link RegistryEntry} has it, and
 * `limits: {maxManifestBytes?, ...}`.
 * @throws RefwardenError `ConfigurationInvalid`, naming field and value.
 */
export function parseRegistrySettings(text: string): SettingsFile {
  if (text.length > maxSettingsLength) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      `The registry settings are longer than ${maxSettingsLength} characters.`,
    );
  }
  const parsed = fileSchema.safeParse(parseStrictYaml(text, 'The registry settings'));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path ?? [];
  const field = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  const wrong = valueAt(parseStrictYaml(text, 'The registry settings'), path);
  const value = wrong === undefined ? 'missing' : JSON.stringify(wrong);
  throw new RefwardenError(
    'ConfigurationInvalid',
    `Registry settings: ${field.replace(/^\./, '') || 'the document'} (${value.slice(0, 120)}): ${issue?.message ?? 'is wrong'}.`,
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (holder, key) => (typeof holder === 'object' && holder !== null ? Reflect.get(holder, key) : undefined),
    value,
  );
}

/** The reference grammar decides, so that settings and images agree on what a host is. */
function isHost(host: string): boolean {
  return isPlainHost(host) && host === normalizeRegistry(host);
}

function isProxy(text: string): boolean {
  if (!/^https?:\/\/[^/?#@\\\s]+$/.test(text) || !URL.canParse(text)) return false;
  // A dialler must read the same host out of it that the operator wrote.
  return isPlainHost(text.replace(/^https?:\/\//, ''));
}
