import { archiveHost, shopHost } from '../../src/demo/demo-addresses.ts';

export interface SampleTrust {
  /** PEM of the release key. */
  readonly releaseKey: string;
  readonly keyless: { readonly issuer: string; readonly subject: string; readonly trustedRoot: string };
}

interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

const resource = (kind: string, name: string, spec: object): Resource => ({
  apiVersion: 'refwarden.dev/v1alpha1',
  kind,
  metadata: { name },
  spec,
});

/** The issuers and policies of the demo by the file that holds them. */
export function samplePolicies({
  releaseKey,
  keyless,
}: SampleTrust): Readonly<Record<string, readonly Resource[]>> {
  const { issuer, subject, trustedRoot } = keyless;
  const anyRelease = { issuers: ['demo-release', 'demo-keyless'] };
  return {
    'trusted-issuers.yaml': [
      resource('TrustedIssuer', 'demo-release', { key: { pem: releaseKey, transparencyLog: 'NotRequired' } }),
      resource('TrustedIssuer', 'demo-keyless', {
        keyless: {
          identities: [{ issuer, subject }],
          trustedRoot: { inline: trustedRoot },
          sct: 'NotRequired',
          transparencyLog: 'NotRequired',
          signedTimestamp: 'Required',
        },
      }),
    ],
    'signed.yaml': [
      resource('ClusterArtifactPolicy', 'demo-signed', {
        mode: 'Enforce',
        images: [`${shopHost}/shop/**`],
        require: [{ name: 'signed', signature: anyRelease }],
      }),
    ],
    'sbom.yaml': [
      resource('ClusterArtifactPolicy', 'demo-sbom', {
        mode: 'Enforce',
        images: [`${shopHost}/shop/sbom`, `${shopHost}/shop/no-sbom`],
        require: [{ name: 'sbom', sbom: { formats: ['SPDX'], issuers: ['demo-release'] } }],
      }),
    ],
    'signed-index.yaml': [
      resource('ClusterArtifactPolicy', 'demo-signed-index', {
        mode: 'Enforce',
        images: [`${archiveHost}/shop/**`],
        require: [{ name: 'signed', signature: { issuers: ['demo-release'], inheritFromIndex: true } }],
      }),
    ],
  };
}
