import { githubWorkflowClaims } from '../signing/github-workflow-claims.ts';
import type { GithubWorkflow } from '../signing/github-workflow-claims.ts';

/** SLSA provenance v1 of the shape that GitHub's attest-build-provenance makes. */
export function provenanceOf({ repository, workflow, ref }: GithubWorkflow): object {
  const uri = `https://github.com/${repository}`;
  const { sha } = githubWorkflowClaims({ repository, workflow, ref });
  return {
    buildDefinition: {
      buildType: 'https://actions.github.io/buildtypes/workflow/v1',
      externalParameters: { workflow: { ref, repository: uri, path: `.github/workflows/${workflow}` } },
      internalParameters: { github: { event_name: 'push', runner_environment: 'github-hosted' } },
      resolvedDependencies: [{ uri: `git+${uri}@${ref}`, digest: { gitCommit: sha } }],
    },
    runDetails: {
      builder: { id: `${uri}/.github/workflows/${workflow}@${ref}` },
      metadata: { invocationId: `${uri}/actions/runs/9876543210/attempts/1` },
    },
  };
}
