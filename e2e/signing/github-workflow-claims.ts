import type { Claims } from './oidc-issuer.ts';

export interface GithubWorkflow {
  /** `owner/name` */
  readonly repository: string;
  /** The file's name in `.github/workflows/`. */
  readonly workflow: string;
  readonly ref: string;
}

/** The claims of the token that GitHub Actions would give to a workflow. Everything not asked for is made up. */
export function githubWorkflowClaims({ repository, workflow, ref }: GithubWorkflow): Claims {
  const commit = '5f0c1d2e3b4a59687786958473625140fedcba98';
  const owner = repository.split('/')[0] ?? '';
  const workflowRef = `${repository}/.github/workflows/${workflow}@${ref}`;
  return {
    sub: `repo:${repository}:ref:${ref}`,
    event_name: 'push',
    job_workflow_ref: workflowRef,
    job_workflow_sha: commit,
    ref,
    repository,
    repository_id: '700100200',
    repository_owner: owner,
    repository_owner_id: '4001002',
    repository_visibility: 'private',
    run_attempt: '1',
    run_id: '9876543210',
    runner_environment: 'github-hosted',
    sha: commit,
    workflow: 'Release',
    workflow_ref: workflowRef,
    workflow_sha: commit,
  };
}
