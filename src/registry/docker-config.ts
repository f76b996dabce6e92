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

/** What the file says of the repositories that a key stands for. */
interface Entry {
  readonly key: CredentialKey;
  /** Of the key and the file; holds no secret. */
  readonly scope: string;
  readonly kept: { readonly account: Account } | { readonly helper: string };
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
  const bytes = await readBounded(path, maxConfigBytes, `Docker configuration ${path}`);
  const json = parseStrictJson(bytes, `Docker configuration ${path}`, 'ConfigurationInvalid');
  if (!isJsonObject(json)) throw invalid(path, 'is not an object');
  const fileHash = hashOf(bytes);
  const scopeOf = (key: string): string => `docker-config:${hashOf(`${fileHash}\n${key}`)}`;
  const store = programAt(json, 'credsStore', path);
  const entries = parseEntries(json, store, path, scopeOf);
  const byHost = Map.groupBy(entries, ({ key }) => (key.hasWildcard ? '*' : key.host));
  const find = (registry: string, repository: string): Entry | undefined => {
    const matches = ({ key }: Entry): boolean => matchesCredentialKey(key, { registry, repository });
    return byHost.get(registry)?.find(matches) ?? byHost.get('*')?.find(matches);
  };
  // Docker asks its store for any host, listed or not.
  const askStore = store === undefined ? undefined : helpers?.find.bind(helpers, store);
  return {
    scope: (registry, repository) =>
      find(registry, repository)?.scope ??
      (askStore === undefined ? anonymousScope : scopeOf(`credsStore\n${registry}`)),
    account: async (registry, repository) => {
      const entry = find(registry, repository);
      if (entry === undefined) return await askStore?.(serverOf(registry));
      if ('account' in entry.kept) return entry.kept.account;
      if (helpers === undefined) throw needsHelper(registry, path);
      return await helpers.get(entry.kept.helper, serverOf(registry, entry.key));
    },
  };
}

function needsHelper(registry: string, path: string): RefwardenError {
  return new RefwardenError(
    'RegistryUnauthorized',
    `The credentials of ${registry} are kept by a credential helper, which the webhook does not run; put them into auths of ${path}.`,
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
  path: string,
  scopeOf: (key: string) => string,
): Entry[] {
  const entryOf = (text: string, kept: Entry['kept']): Entry => ({
    key: parseCredentialKey(text),
    scope: scopeOf(text),
    kept,
  });
  const helpers = objectAt(json, 'credHelpers', path);
  const kept = new Map<string, Entry>();
  for (const [key, value] of Object.entries(objectAt(json, 'auths', path))) {
    const account = parseAccount(value, key, path);
    // Docker lists a host without an account when its store keeps that.
    if (account !== undefined) kept.set(key, entryOf(key, { account }));
    else if (store !== undefined) kept.set(key, entryOf(key, { helper: store }));
  }
  for (const key of Object.keys(helpers)) {
    const helper = programAt(helpers, key, path, `credHelpers[${JSON.stringify(key)}]`);
    if (helper !== undefined) kept.set(key, entryOf(key, { helper }));
  }
  return [...kept.values()].sort((one, other) => compareCredentialKeys(one.key, other.key));
}

function parseAccount(entry: Json | undefined, key: string, path: string): Account | undefined {
  const where = `auths[${JSON.stringify(key)}]`;
  if (!isJsonObject(entry)) throw invalid(path, `${where} is not an object`);
  const { auth, username, password, identitytoken } = entry;
  // Beside it `auth` holds a name only.
  if (typeof identitytoken === 'string' && identitytoken !== '') return { identityToken: identitytoken };
  if (typeof auth === 'string' && auth !== '') {
    const [, user, secret] = /^([^:]+):([^]*)$/.exec(Buffer.from(auth, 'base64').toString('utf8')) ?? [];
    if (user === undefined || secret === undefined)
      throw invalid(path, `${where}.auth is not base64 of user:password`);
    return { username: user, password: secret.replace(/\0+$/, '') };
  }
  if (typeof username === 'string' && username !== '' && typeof password === 'string')
    return { username, password };
  return undefined;
}

/** The name of a helper, which becomes part of the name of a program. */
function programAt(holder: JsonObject, field: string, path: string, where = field): string | undefined {
  const name = holder[field];
  if (name === undefined || name === '') return undefined;
  if (typeof name === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(name)) return name;
  throw invalid(path, `${where} is no name of a credential helper: write letters, digits, _ and - only`);
}

function objectAt(json: JsonObject, field: string, path: string): JsonObject {
  const value = json[field] ?? {};
  if (!isJsonObject(value)) throw invalid(path, `${field} is not an object`);
  return value;
}

function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function invalid(path: string, why: string): RefwardenError {
  return new RefwardenError('ConfigurationInvalid', `Docker configuration ${path}: ${why}.`);
}
