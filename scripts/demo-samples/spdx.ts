/** A small SPDX 2.3 document for the image of a repository. */
export function spdxDocument(repository: string): object {
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: repository,
    documentNamespace: `https://shop.example/spdx/${repository}-1.0`,
    creationInfo: { created: '2026-01-01T00:00:00Z', creators: ['Organization: Shop'] },
    packages: [
      {
        SPDXID: 'SPDXRef-Package-app',
        name: repository,
        versionInfo: '1.0',
        downloadLocation: 'NOASSERTION',
        filesAnalyzed: false,
        licenseConcluded: 'Apache-2.0',
        licenseDeclared: 'Apache-2.0',
        copyrightText: 'NOASSERTION',
      },
    ],
    relationships: [
      {
        spdxElementId: 'SPDXRef-DOCUMENT',
        relationshipType: 'DESCRIBES',
        relatedSpdxElement: 'SPDXRef-Package-app',
      },
    ],
  };
}
