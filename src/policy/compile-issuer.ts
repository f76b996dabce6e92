import { createHash } from 'node:crypto';
import { failure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { GithubIdentity } from './model/github-identity.ts';
import type { NotationTrustPolicy, TrustStoreReference } from './model/notation-trust-policy.ts';
import type { TrustedIssuer, TrustedRootReference } from './model/trusted-issuer.ts';
import { fulcioExtensions } from './resolved-issuer.ts';
import type {
  FulcioExtension,
  IdentityRule,
  KeyIssuer,
  KeylessIssuer,
  NotationIssuer,
  ResolvedIssuer,
  TrustedRootMaterial,
  TrustReference,
  TrustStoreMaterial,
} from './resolved-issuer.ts';

/** What compiling needs from outside: text of trust material, and a check that an issuer's material parses. */
export interface IssuerTrust {
  material(reference: TrustReference): string | Failure;
  check(issuer: ResolvedIssuer): Failure | undefined;
}

export const githubActionsIssuer = 'https://token.actions.githubusercontent.com';

/** Resolves a TrustedIssuer to plain data with its trust material, or says why it cannot be used. */
export function compileIssuer(resource: TrustedIssuer, trust: IssuerTrust): ResolvedIssuer | Failure {
  const issuer = resolve(resource, trust);
  if ('code' in issuer) return prefixed(resource, issuer);
  const problem = trust.check(issuer);
  return problem === undefined ? issuer : prefixed(resource, problem);
}

const prefixed = (resource: TrustedIssuer, { code, message }: Failure): Failure =>
  failure(code, `TrustedIssuer ${resource.metadata.name}: ${message}`);

type Spec = TrustedIssuer['spec'];
type Resolver = (name: string, spec: Spec, trust: IssuerTrust) => ResolvedIssuer | Failure | undefined;

/** Every kind of issuer of the model, undefined where the issuer is of another: leaving one out does not compile. */
const resolvers: Readonly<Record<keyof Spec, Resolver>> = {
  key: (name, { key }, trust) => key && resolveKey(name, key, trust),
  keyless: (name, { keyless }, trust) => keyless && resolveKeyless(name, keyless, trust),
  notation: (name, { notation }, trust) => notation && resolveNotation(name, notation, trust),
};

function resolve({ metadata: { name }, spec }: TrustedIssuer, trust: IssuerTrust): ResolvedIssuer | Failure {
  for (const resolveKind of Object.values(resolvers)) {
    const resolved = resolveKind(name, spec, trust);
    if (resolved !== undefined) return resolved;
  }
  return failure('IssuerInvalid', 'it names no way to know who signed.');
}

function resolveKey(
  name: string,
  {
    pem,
    transparencyLog,
    signedTimestamp,
    thresholds,
    trustedRoot: reference,
    notBefore,
    notAfter,
  }: NonNullable<Spec['key']>,
  trust: IssuerTrust,
): ResolvedIssuer | Failure {
  // Named without being required, it still says when something was signed.
  const wanted = transparencyLog === 'Required' || signedTimestamp === 'Required' || reference !== undefined;
  const root = wanted ? trustedRoot(reference, trust) : undefined;
  if (root !== undefined && 'code' in root) return root;
  return fingerprinted<KeyIssuer>({
    kind: 'key',
    name,
    pem,
    transparencyLog,
    signedTimestamp,
    ...(thresholds === undefined ? {} : { thresholds }),
    ...(root === undefined ? {} : { trustedRoot: root }),
    ...(notBefore === undefined ? {} : { notBeforeMs: Date.parse(notBefore) }),
    ...(notAfter === undefined ? {} : { notAfterMs: Date.parse(notAfter) }),
  });
}

function resolveKeyless(
  name: string,
  {
    github,
    identities = [],
    trustedRoot: reference,
    sct = reference?.builtIn === 'GitHub' ? 'NotRequired' : 'Required',
    transparencyLog,
    signedTimestamp,
    thresholds,
  }: NonNullable<Spec['keyless']>,
  trust: IssuerTrust,
): ResolvedIssuer | Failure {
  const root = trustedRoot(reference, trust);
  if ('code' in root) return root;
  return fingerprinted<KeylessIssuer>({
    kind: 'keyless',
    name,
    identities: github === undefined ? identities.map(identityRule) : [githubRule(github)],
    trustedRoot: root,
    sct,
    transparencyLog,
    signedTimestamp,
    ...(thresholds === undefined ? {} : { thresholds }),
  });
}

function resolveNotation(
  name: string,
  { level, override = {}, trustStores, trustedIdentities, verifyTimestamp = 'always' }: NotationTrustPolicy,
  trust: IssuerTrust,
): ResolvedIssuer | Failure {
  const stores: TrustStoreMaterial[] = [];
  for (const reference of trustStores) {
    const store = trustStore(reference, trust);
    if ('code' in store) return store;
    stores.push(store);
  }
  return fingerprinted<NotationIssuer>({
    kind: 'notation',
    name,
    level,
    override: givenOf(override),
    trustStores: stores,
    trustedIdentities,
    verifyTimestamp,
  });
}

const givenOf = (override: NonNullable<NotationTrustPolicy['override']>): NotationIssuer['override'] =>
  Object.fromEntries(Object.entries(override).filter(([, action]) => action !== undefined));

function trustStore(
  { type, configMap, file, inline }: TrustStoreReference,
  trust: IssuerTrust,
): TrustStoreMaterial | Failure {
  if (inline !== undefined) return { type, name: 'inline', certificates: inline };
  const [name, certificates] =
    configMap !== undefined
      ? [
          `ConfigMap ${configMap.name}, key ${configMap.key}`,
          trust.material({ kind: 'configMap', ...configMap }),
        ]
      : [`file ${file ?? ''}`, trust.material({ kind: 'file', name: file ?? '' })];
  return typeof certificates === 'string' ? { type, name, certificates } : certificates;
}

function fingerprinted<T extends ResolvedIssuer>(issuer: Omit<T, 'fingerprint'>): T {
  return { ...issuer, fingerprint: sha256(JSON.stringify(issuer)) } as T;
}

function trustedRoot(
  reference: TrustedRootReference | undefined,
  trust: IssuerTrust,
): TrustedRootMaterial | Failure {
  const json = reference?.inline ?? trust.material(trustReference(reference));
  return typeof json === 'string' ? { json, fingerprint: sha256(json) } : json;
}

function trustReference(reference: TrustedRootReference | undefined): TrustReference {
  if (reference?.configMap !== undefined) return { kind: 'configMap', ...reference.configMap };
  if (reference?.file !== undefined) return { kind: 'file', name: reference.file };
  if (reference?.tuf !== undefined) {
    const { mirror, root, target } = reference.tuf;
    return { kind: 'tuf', mirror, target, ...(root === undefined ? {} : { root }) };
  }
  return { kind: 'builtIn', name: reference?.builtIn ?? 'PublicGood' };
}

type Identity = NonNullable<NonNullable<TrustedIssuer['spec']['keyless']>['identities']>[number];

function identityRule({ issuer, subject, subjectPattern, extensions }: Identity): IdentityRule {
  return {
    issuer,
    ...(subject !== undefined
      ? { subject: { exact: subject } }
      : subjectPattern !== undefined
        ? { subject: { pattern: subjectPattern } }
        : {}),
    extensions: extensionNames.flatMap((name) => {
      const exact = extensions?.[name];
      return exact === undefined ? [] : [{ name, rule: { exact } }];
    }),
  };
}

const extensionNames = Object.keys(fulcioExtensions) as FulcioExtension[];

/**
 * The caller's workflow, not the certificate's subject: that one names a reusable workflow, which every
 * caller shares. Both the workflow file and the reference it ran on are held to `refs`.
 */
function githubRule(identity: GithubIdentity): IdentityRule {
  const { repository, refs, environment, repositoryID, ownerID, signerWorkflow } = identity;
  const exact = (name: FulcioExtension, text: string | undefined): IdentityRule['extensions'] =>
    text === undefined ? [] : [{ name, rule: { exact: text } }];
  return {
    issuer: githubActionsIssuer,
    extensions: [
      ...exact('sourceRepositoryURI', githubURI(repository)),
      { name: 'sourceRepositoryRef', rule: { pattern: anyOfRefs(refs) } },
      { name: 'buildConfigURI', rule: { pattern: workflowPattern(identity) } },
      ...exact('deploymentEnvironment', environment),
      ...exact('sourceRepositoryIdentifier', repositoryID),
      ...exact('sourceRepositoryOwnerIdentifier', ownerID),
      ...(signerWorkflow === undefined
        ? []
        : [{ name: 'buildSignerURI', rule: { pattern: workflowPattern(signerWorkflow) } } as const]),
    ],
  };
}

const githubURI = (repository: string): string => `https://github.com/${repository}`;

const workflowPattern = ({
  repository,
  workflow,
  refs,
}: Pick<GithubIdentity, 'repository' | 'workflow' | 'refs'>): string =>
  `${escapeRe2(`${githubURI(repository)}/.github/workflows/${workflow}@`)}${anyOfRefs(refs)}`;

const anyOfRefs = (refs: readonly string[]): string => `(?:${refs.map(refPattern).join('|')})`;

/** `refs/tags/v*` -> RE2; `*` stays within a segment, `**` crosses. */
function refPattern(glob: string): string {
  return glob
    .split(/(\*\*|\*)/)
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : escapeRe2(part)))
    .join('');
}

const escapeRe2 = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
