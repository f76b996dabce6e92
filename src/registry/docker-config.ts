import { createHash } from 'node:crypto';
import { anonymousScope } from '../admission/ports.ts';
import type { Account, Credentials } from '../admission/ports.ts';
import { RefwardenError } from '../failures/failure.ts';
import { dockerHub } from '../image/reference.ts';
import { isJsonObject, parseStrictJson } from '../oci/strict-json.ts';
import type { Json, JsonObject } from '../oci/strict-json.ts';
import { readBounded } from './bounded-file.ts';
import type { CredentialHelpers } from './credential-helpers.ts';
import {
  compareCredentialKeys,
  legacyHubKey,
  matchesCredentialKey,
  parseCredentialKey,
} from './credential-key.ts';
import type { CredentialKey } from './credential-key.ts';

/** Largest configuration file, bytes (a Secret holds no more). */
const maxConfigBytes = 1024 * 1024;

/** Most keys of one configuration: they are gone through for each workload. */
const maxKeys = 1000;

/** What a configuration says of the repositories that a key stands for. */
interface Entry {
  readonly key: CredentialKey;
  /** Of the key and the configuration; holds no secret. */
  readonly scope: string;
  readonly kept: { readonly account: Account } | { readonly helper: string };
}

/** A Docker configuration that was read. */
export interface DockerConfig {
  /** As messages call it. */
  readonly name: string;
  /** The most specific first. */
  readonly entries: readonly Entry[];
  /** The helper that is asked for any host. */
  readonly store?: string;
  /** Of what the store says of a host. */
  readonly storeScope: (registry: string) => string;
}

/**
 * Credentials of a Docker `config.json`: `auths`, `credHelpers` and `credsStore`. The most specific key that stands for
 * a repository decides, see {@link CredentialKey}; what the file says nothing of is read anonymously, and so shared
 * with all others that do.
 * @param helpers runs the programs that the file names. Without it they are not run: `account` rejects with
 *   `RegistryUnauthorized` where one is needed.
 * @throws RefwardenError `ConfigurationInvalid` when the file cannot be read or is no such configuration.
 */
export async function loadDockerConfig(path: string, helpers?: CredentialHelpers): Promise<Credentials> {
  const name = `Docker configuration ${path}`;
  const config = parseDockerConfig(await readBounded(path, maxConfigBytes, name), name);
  const find = entryFinder(config.entries);
  // Docker asks its store for any host, listed or not.
  const askStore = config.store === undefined ? undefined : helpers?.find.bind(helpers, config.store);
  return {
    scope: (registry, repository) =>
      find(registry, repository)[0]?.scope ??
      (askStore === undefined ? anonymousScope : config.storeScope(registry)),
    account: async (registry, repository) => {
      const [entry] = find(registry, repository);
      return entry === undefined
        ? await askStore?.(serverOf(registry))
        : accountOf(entry, registry, name, helpers);
    },
  };
}

/**
 * @param form `dockercfg` is the older form, which holds nothing but what is under `auths` in the other.
 * @throws RefwardenError `ConfigurationInvalid`
 */
export function parseDockerConfig(
  bytes: Uint8Array,
  name: string,
  form: 'config.json' | 'dockercfg' = 'config.json',
): DockerConfig {
  const parsed = parseStrictJson(bytes, name, 'ConfigurationInvalid');
  if (!isJsonObject(parsed)) throw invalid(name, 'is not an object');
  const json = form === 'dockercfg' ? { auths: parsed } : parsed;
  const contentHash = hashOf(bytes);
  const scopeOf = (key: string): string => `docker-config:${hashOf(`${contentHash}\n${key}`)}`;
  const store = programAt(json, 'credsStore', name);
  return {
    name,
    entries: parseEntries(json, store, name, scopeOf),
    storeScope: (registry) => scopeOf(`credsStore\n${registry}`),
    ...(store === undefined ? {} : { store }),
  };
}

/**
 * @param entries the most specific first.
 * @returns all that stand for a repository, in that order.
 */
export function entryFinder<T extends Entry>(
  entries: readonly T[],
): (registry: string, repository: string) => readonly T[] {
  const byHost = Map.groupBy(entries, ({ key }) => (key.hasWildcard ? '*' : key.host));
  return (registry, repository) => {
    const matches = ({ key }: Entry): boolean => matchesCredentialKey(key, { registry, repository });
    return [registry, '*'].flatMap((host) => byHost.get(host)?.filter(matches) ?? []);
  };
}

/** @throws RefwardenError `RegistryUnauthorized` where a helper is needed and is not run, or fails. */
export async function accountOf(
  { kept, key }: Entry,
  registry: string,
  name: string,
  helpers?: CredentialHelpers,
): Promise<Account | undefined> {
  if ('account' in kept) return kept.account;
  if (helpers === undefined) throw needsHelper(registry, name);
  return await helpers.get(kept.helper, serverOf(registry, key));
}

function needsHelper(registry: string, name: string): RefwardenError {
  return new RefwardenError(
    'RegistryUnauthorized',
    `The credentials of ${registry} are kept by a credential helper, which the webhook does not run; put them into auths of ${name}.`,
  );
}

/** What a helper knows the credentials by: what `docker login` was given. */
function serverOf(registry: string, key?: CredentialKey): string {
  if (registry === dockerHub) return legacyHubKey;
  return key === undefined || key.hasWildcard ? registry : key.text;
}

/** The most specific first. */
function parseEntries(
  json: JsonObject,
  store: string | undefined,
  name: string,
  scopeOf: (key: string) => string,
): Entry[] {
  const entryOf = (text: string, kept: Entry['kept']): Entry => ({
    key: parseCredentialKey(text),
    scope: scopeOf(text),
    kept,
  });
  const helpers = objectAt(json, 'credHelpers', name);
  const kept = new Map<string, Entry>();
  for (const [key, value] of Object.entries(objectAt(json, 'auths', name))) {
    const account = parseAccount(value, key, name);
    // Docker lists a host without an account when its store keeps that.
    if (account !== undefined) kept.set(key, entryOf(key, { account }));
    else if (store !== undefined) kept.set(key, entryOf(key, { helper: store }));
  }
  for (const key of Object.keys(helpers)) {
    const helper = programAt(helpers, key, name, `credHelpers[${JSON.stringify(key)}]`);
    if (helper !== undefined) kept.set(key, entryOf(key, { helper }));
  }
  if (kept.size > maxKeys) throw invalid(name, `has more than ${maxKeys} keys`);
  return [...kept.values()].sort((one, other) => compareCredentialKeys(one.key, other.key));
}

function parseAccount(entry: Json | undefined, key: string, name: string): Account | undefined {
  const where = `auths[${JSON.stringify(key)}]`;
  if (!isJsonObject(entry)) throw invalid(name, `${where} is not an object`);
  const { auth, username, password, identitytoken } = entry;
  // Beside it `auth` holds a name only.
  if (typeof identitytoken === 'string' && identitytoken !== '') return { identityToken: identitytoken };
  if (typeof auth === 'string' && auth !== '') {
    const [, user, secret] = /^([^:]+):([^]*)$/.exec(Buffer.from(auth, 'base64').toString('utf8')) ?? [];
    if (user === undefined || secret === undefined)
      throw invalid(name, `${where}.auth is not base64 of user:password`);
    return { username: user, password: secret.replace(/\0+$/, '') };
  }
  if (typeof username === 'string' && username !== '' && typeof password === 'string')
    return { username, password };
  return undefined;
}

/** The name of a helper, which becomes part of the name of a program. */
function programAt(holder: JsonObject, field: string, name: string, where = field): string | undefined {
  const program = holder[field];
  if (program === undefined || program === '') return undefined;
  if (typeof program === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(program)) return program;
  throw invalid(name, `${where} is no name of a credential helper: write letters, digits, _ and - only`);
}

function objectAt(json: JsonObject, field: string, name: string): JsonObject {
  const value = json[field] ?? {};
  if (!isJsonObject(value)) throw invalid(name, `${field} is not an object`);
  return value;
}

function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function invalid(name: string, why: string): RefwardenError {
  return new RefwardenError('ConfigurationInvalid', `${name}: ${why}.`);
}
