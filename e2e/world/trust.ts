import { apiVersion } from '../objects/policy.ts';

/** The namespace that `serve --release-namespace` names in this suite. */
export const releaseNamespace = 'refwarden-e2e-system';

/** Names of the TrustedIssuers. */
export const releaseKey = 'e2e-release-key';
export const releasePersonIssuer = 'e2e-release-person';
export const releaseWorkflowIssuer = 'e2e-release-workflow';
/** Any workflow of any repository. */
export const anyWorkflowIssuer = 'e2e-any-workflow';
export const releaseNotationIssuer = 'e2e-release-notation';

export interface TrustOptions {
  readonly releaseKeyPem: string;
  readonly trustedRoot: string;
  readonly oidcIssuer: string;
  readonly subject: string;
  /** `iss` of the tokens of workflows. */
  readonly workflowIssuer: string;
  readonly repository: string;
  /** PEM of the root that Notation's certificates lead to. */
  readonly notationRoot: string;
}

/**
 * A key; a person whose certificates come from a Fulcio of our own, and an identity of Notation, both trusted through a
 * ConfigMap.
 */
export function trustResources({
  releaseKeyPem,
  trustedRoot,
  oidcIssuer,
  subject,
  workflowIssuer,
  repository,
  notationRoot,
}: TrustOptions): readonly object[] {
  const keyless = (name: string, identity: object): object => ({
    apiVersion,
    kind: 'TrustedIssuer',
    metadata: { name },
    spec: {
      keyless: {
        identities: [identity],
        trustedRoot: { configMap: { name: 'e2e-trusted-root' } },
        sct: 'NotRequired',
        signedTimestamp: 'Required',
      },
    },
  });
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'e2e-trusted-root', namespace: releaseNamespace },
      data: { 'trusted_root.json': trustedRoot },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'e2e-notation-root', namespace: releaseNamespace },
      data: { 'ca.crt': notationRoot },
    },
    keyIssuer(releaseKey, releaseKeyPem),
    keyless(releasePersonIssuer, { issuer: oidcIssuer, subject }),
    keyless(releaseWorkflowIssuer, {
      issuer: workflowIssuer,
      extensions: { sourceRepositoryURI: `https://github.com/${repository}`, buildTrigger: 'push' },
    }),
    keyless(anyWorkflowIssuer, { issuer: workflowIssuer, subjectPattern: 'https://github\\.com/.*' }),
    {
      apiVersion,
      kind: 'TrustedIssuer',
      metadata: { name: releaseNotationIssuer },
      spec: {
        notation: {
          trustStores: [{ type: 'ca', configMap: { name: 'e2e-notation-root' } }],
          trustedIdentities: ['x509.subject: C=US, ST=WA, O=Acme'],
        },
      },
    },
  ];
}

export function keyIssuer(name: string, pem: string): object {
  return { apiVersion, kind: 'TrustedIssuer', metadata: { name }, spec: { key: { pem } } };
}
