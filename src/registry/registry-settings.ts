import { parseDocument } from 'yaml';
import { z } from 'zod';
import { RefwardenError } from '../failures/failure.ts';
import { isPlainHost, normalizeRegistry } from '../image/reference.ts';
import { mechanisms } from '../policy/evidence.ts';
import type { Mechanism } from '../policy/evidence.ts';
import { highestRegistryLimits } from './limits.ts';
import type { RegistryLimits } from './limits.ts';

/** Longest settings text, characters. */
const maxSettingsLength = 256 * 1024;
const maxRegistries = 1_000;

/**
 * How one registry is reached. A host that is listed is also allowed by name: it may be at a loopback or
 * link-local address, and other registries may redirect to it.
 */
export interface RegistrySettings {
  /** `host` or `host:port`, exact. */
  readonly host: string;
  /** HTTP without TLS; for registries on a trusted network only. */
  readonly plainHttp?: boolean | undefined;
  /** Where referrers are looked for. `References`, the founding proposal's API, is asked only when listed. */
  readonly mechanisms?: readonly Mechanism[] | undefined;
}

/** What every registry without settings of its own is asked for. */
export const defaultMechanisms: readonly Mechanism[] = ['Referrers', 'FallbackTag', 'CosignTag'];

const registrySettingsSchema = z.strictObject({
  host: z
    .string()
    .max(255)
    .refine(isHost, 'is no registry host; write host or host:port in lower case, without scheme and path'),
  plainHttp: z.boolean().optional(),
  mechanisms: z
    .array(z.enum(mechanisms))
    .min(1, 'must name at least one mechanism')
    .refine((list) => new Set(list).size === list.length, 'names a mechanism twice')
    .optional(),
});

/** What a settings file says; limits that it does not name keep their defaults. */
export interface SettingsFile {
  readonly registries: readonly RegistrySettings[];
  readonly limits: Partial<RegistryLimits>;
}

const limitsSchema = z.strictObject(
  Object.fromEntries(
    Object.entries(highestRegistryLimits).map(([name, highest]: [string, number]) => [
      name,
      z.exactOptional(z.int().min(1).max(highest)),
    ]),
  ),
);

const fileSchema: z.ZodType<SettingsFile> = z.strictObject({
  registries: z
    .array(registrySettingsSchema)
    .max(maxRegistries)
    .refine((list) => new Set(list.map(({ host }) => host)).size === list.length, 'names a host twice')
    .default([]),
  limits: limitsSchema.default({}),
});

/**
 * Parses the text of `registries.yaml`: `registries: [{host, plainHttp?, mechanisms?}]` and `limits: {maxManifestBytes?, ...}`.
 * @throws RefwardenError `ConfigurationInvalid`, naming field and value.
 */
export function parseRegistrySettings(text: string): SettingsFile {
  if (text.length > maxSettingsLength) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      `The registry settings are longer than ${maxSettingsLength} characters.`,
    );
  }
  const parsed = fileSchema.safeParse(parseYaml(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path ?? [];
  const field = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  const wrong = valueAt(parseYaml(text), path);
  const value = wrong === undefined ? 'missing' : JSON.stringify(wrong);
  throw new RefwardenError(
    'ConfigurationInvalid',
    `Registry settings: ${field.replace(/^\./, '') || 'the document'} (${value.slice(0, 120)}): ${issue?.message ?? 'is wrong'}.`,
  );
}

function parseYaml(text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: true });
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      `The registry settings are not valid YAML (line ${problem.linePos?.[0].line ?? 1}).`,
      problem,
    );
  }
  try {
    return document.toJS({ maxAliasCount: 0 }) as unknown;
  } catch (cause) {
    throw new RefwardenError('ConfigurationInvalid', 'The registry settings use YAML aliases.', cause);
  }
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
