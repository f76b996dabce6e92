import type { SbomFormat } from '../../policy/evidence.ts';

/** What a media type says of an SBOM. */
export interface SbomMediaType {
  /** Syft has a format of its own. */
  readonly format: SbomFormat | 'Syft';
  /** `JSON` of a format that is read, else what to call it: `SPDX as XML`. */
  readonly encoding: 'JSON' | { readonly unread: string };
}

const formats: Readonly<Record<string, SbomMediaType['format']>> = {
  spdx: 'SPDX',
  cyclonedx: 'CycloneDX',
  syft: 'Syft',
};
const encodings: ReadonlyMap<string, string> = new Map([
  ['spdx', 'SPDX as tag-value text'],
  ['spdx+xml', 'SPDX as XML'],
  ['spdx+yaml', 'SPDX as YAML'],
  ['spdx+rdf', 'SPDX as RDF'],
  ['spdx+rdf+xml', 'SPDX as RDF'],
  ['cyclonedx+xml', 'CycloneDX as XML'],
  ['cyclonedx+protobuf', 'CycloneDX as protobuf'],
  ['syft+json', "Syft's own JSON"],
]);
// `application/vnd.cyclonedx+json` is registered, the others are what cosign, Syft, Trivy and oras write.
const typePattern = /^(?:application|text)\/(?:x\.)?(?:vnd\.)?((spdx|cyclonedx|syft)(?:\+[a-z0-9+.-]+)?)$/;

/** Undefined for what is no SBOM by its type. Parameters (`; version=1.5`) say nothing that the document does not. */
export function parseSbomMediaType(type: string | undefined): SbomMediaType | undefined {
  const [essence = ''] = (type ?? '').split(';', 1);
  const [, subtype = '', name = ''] = typePattern.exec(essence.trim().toLowerCase()) ?? [];
  const format = formats[name];
  if (format === undefined) return undefined;
  const isRead = format !== 'Syft' && subtype === `${name}+json`;
  return {
    format,
    encoding: isRead ? 'JSON' : { unread: encodings.get(subtype) ?? `${format} of another form` },
  };
}
