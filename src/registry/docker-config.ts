import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { anonymousScope } from '../admission/ports.ts';
import type { Account, Credentials } from '../admission/ports.ts';
import { RefwardenError } from '../failures/failure.ts';
import { dockerHub } from '../image/reference.ts';
import { isJsonObject, parseStrictJson } from '../oci/strict-json.ts';
import type { Json, JsonObject } from '../oci/strict-json.ts';

/** Largest configuration file, bytes (a Secret holds no more). */
const maxConfigBytes = 1024 * 1024;
/** The key under which Docker keeps the account of Docker Hub. */
const legacyHubKey = 'https://index.docker.io/v1/';

/**
 * Credentials of a Docker `config.json`. Hosts match exactly, port included. Helpers and stores are programs to be
 * run, which this version does not: where one is needed, `basicAuth` rejects with `RegistryUnauthorized`.
 * What the file says nothing of is read anonymously, and so shared with all others that do.
 * @throws RefwardenError `ConfigurationInvalid` when the file cannot be read or is no such configuration.
 */
export async function loadDockerConfig(path: string): Promise<Credentials> {
  const bytes = await readBounded(path);
  const json = parseStrictJson(bytes, `Docker configuration ${path}`, 'ConfigurationInvalid');
  if (!isJsonObject(json)) throw invalid(path, 'is not an object');
  const accounts = parseAccounts(json, path);
  const helpers = objectAt(json, 'credHelpers', path);
  const hasStore = json['credsStore'] !== undefined && json['credsStore'] !== '';
  const scope = `docker-config:${createHash('sha256').update(bytes).digest('hex')}`;
  const find = (registry: string): Account | 'kept elsewhere' | undefined => {
    const keys = registry === dockerHub ? [legacyHubKey, dockerHub] : [registry];
    const key = keys.find((name) => accounts.has(name) || Object.hasOwn(helpers, name));
    if (key === undefined) return undefined;
    const account = accounts.get(key);
    return Object.hasOwn(helpers, key) || (account === undefined && hasStore) ? 'kept elsewhere' : account;
  };
  return {
    scope: (registry) => (find(registry) === undefined ? anonymousScope : scope),
    basicAuth: (registry) => {
      const account = find(registry);
      return account === 'kept elsewhere'
        ? Promise.reject(needsHelper(registry, path))
        : Promise.resolve(account);
    },
  };
}

function needsHelper(registry: string, path: string): RefwardenError {
  return new RefwardenError(
    'RegistryUnauthorized',
    `The credentials of ${registry} are kept by a credential helper, which Refwarden does not run; put them into auths of ${path}.`,
  );
}

/** Undefined for a host that is listed without an account: Docker then keeps it in its store. */
function parseAccounts(json: JsonObject, path: string): Map<string, Account | undefined> {
  return new Map(
    Object.entries(objectAt(json, 'auths', path)).map(([key, entry]) => [
      key,
      parseAccount(entry, key, path),
    ]),
  );
}

function parseAccount(entry: Json | undefined, key: string, path: string): Account | undefined {
  const where = `auths[${JSON.stringify(key)}]`;
  if (!isJsonObject(entry)) throw invalid(path, `${where} is not an object`);
  const { auth, username, password } = entry;
  if (entry['identitytoken'] !== undefined && entry['identitytoken'] !== '') {
    throw invalid(path, `${where} holds an identity token, which is not supported`);
  }
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

function objectAt(json: JsonObject, field: string, path: string): JsonObject {
  const value = json[field] ?? {};
  if (!isJsonObject(value)) throw invalid(path, `${field} is not an object`);
  return value;
}

function invalid(path: string, why: string): RefwardenError {
  return new RefwardenError('ConfigurationInvalid', `Docker configuration ${path}: ${why}.`);
}

async function readBounded(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > maxConfigBytes) throw invalid(path, `it is larger than ${maxConfigBytes} bytes`);
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof RefwardenError) throw cause;
    throw new RefwardenError('ConfigurationInvalid', `Docker configuration ${path} cannot be read.`, cause);
  }
}
