import { customResourceDefinitions } from '../src/policy/crd/custom-resource-definitions.ts';
import { renderManifest } from '../src/policy/crd/render-manifest.ts';
import { chartFiles, valuesTable } from './chart/chart-files.ts';
import { failuresPage } from './failures-page.ts';
import { resourcesPage } from './resources-page.ts';

const valuesPage = (): string => `# Values of the chart

Made from \`scripts/chart/chart-values.ts\` by \`npm run generate\`.

${valuesTable()}
`;

/** Path from the root of the project -> content. */
export function generatedFiles(): Map<string, string> {
  const definitions = customResourceDefinitions();
  return new Map([
    // The chart carries them as files: templates would read braces in their descriptions.
    ...['manifests/crds', 'charts/refwarden/files/crds'].flatMap((directory) =>
      definitions.map((crd): [string, string] => [
        `${directory}/${crd.metadata.name}.yaml`,
        renderManifest(crd),
      ]),
    ),
    ...[...chartFiles()].map(([path, text]): [string, string] => [`charts/refwarden/${path}`, text]),
    ['docs/reference/values.md', valuesPage()],
    ['docs/reference/failures.md', failuresPage()],
    ['docs/reference/resources.md', resourcesPage(definitions)],
  ]);
}
