import { apiVersion } from '../objects/policy.ts';

/** The namespace that `serve --release-namespace` names in this suite. */
export const releaseNamespace = 'refwarden-e2e-system';

/** Names of the TrustedIssuers. */
export const releaseKey = 'e2e-release-key';
export const releasePersonIssuer = 'e2e-release-person';

export interface TrustOptions {
  readonly releaseKeyPem: string;
  readonly trustedRoot: string;
  readonly oidcIssuer: string;
  readonly subject: string;
}

/** A key, and a person whose certificates come from a Fulcio of our own, trusted through a ConfigMap. */
export function trustResources({
  releaseKeyPem,
  trustedRoot,
  oidcIssuer,
  subject,
}: TrustOptions): readonly object[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'e2e-trusted-root', namespace: releaseNamespace },
      data: { 'trusted_root.json': trustedRoot },
    },
    keyIssuer(releaseKey, releaseKeyPem),
    {
      apiVersion,
      kind: 'TrustedIssuer',
      metadata: { name: releasePersonIssuer },
      spec: {
        keyless: {
          identities: [{ issuer: oidcIssuer, subject }],
          trustedRoot: { configMap: { name: 'e2e-trusted-root' } },
          sct: 'NotRequired',
          signedTimestamp: 'Required',
        },
      },
    },
  ];
}

export function keyIssuer(name: string, pem: string): object {
  return { apiVersion, kind: 'TrustedIssuer', metadata: { name }, spec: { key: { pem } } };
}
