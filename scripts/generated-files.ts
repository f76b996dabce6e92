import { customResourceDefinitions } from '../src/policy/crd/custom-resource-definitions.ts';
import { renderManifest } from '../src/policy/crd/render-manifest.ts';
import { failuresPage } from './failures-page.ts';
import { resourcesPage } from './resources-page.ts';

/** Path from the root of the project -> content. */
export function generatedFiles(): Map<string, string> {
  const definitions = customResourceDefinitions();
  return new Map([
    ...definitions.map((crd): [string, string] => [
      `manifests/crds/${crd.metadata.name}.yaml`,
      renderManifest(crd),
    ]),
    ['docs/reference/failures.md', failuresPage()],
    ['docs/reference/resources.md', resourcesPage(definitions)],
  ]);
}
