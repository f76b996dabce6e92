import { z } from 'zod';
import { textOf } from './rules.ts';

const githubRepository = textOf(
  z.string().max(200),
  /^[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]+$/,
  'must be owner/name, without https://github.com/',
);
const githubWorkflow = textOf(
  z.string().max(200),
  /^[A-Za-z0-9][A-Za-z0-9._-]*\.ya?ml$/,
  'must be the name of a file such as release.yml, without .github/workflows/',
);
const githubRefs = z
  .array(
    textOf(
      z.string().max(255),
      /^refs\/[A-Za-z0-9._/*+-]+$/,
      'must begin with refs/, for example refs/heads/main or refs/tags/v*',
    ),
  )
  .min(1)
  .max(16);

/** A GitHub Actions workflow as who signs. */
export const githubIdentity = z
  .strictObject({
    repository: githubRepository.describe('owner/name of the repository whose workflow ran.'),
    workflow: githubWorkflow.describe('File name of the workflow in .github/workflows that was started.'),
    refs: githubRefs.describe(
      'Git references it may run on; * stays within a segment, ** crosses; for example refs/tags/v*.',
    ),
    environment: z.string().min(1).max(255).optional().describe('Deployment environment of the job.'),
    repositoryID: z
      .string()
      .max(20)
      .regex(/^[0-9]+$/)
      .optional()
      .describe('Numeric ID, so that a repository made anew under the name does not count.'),
    ownerID: z
      .string()
      .max(20)
      .regex(/^[0-9]+$/)
      .optional()
      .describe('Numeric ID of the owner.'),
    signerWorkflow: z
      .strictObject({
        repository: githubRepository.describe('owner/name of the repository that holds it.'),
        workflow: githubWorkflow.describe('Its file name in .github/workflows.'),
        refs: githubRefs.describe('Git references that it may be called at, as for refs.'),
      })
      .optional()
      .describe(
        'The reusable workflow that must have signed, called by the one above. Absent, that one may have any sign for it.',
      ),
  })
  .describe('A GitHub Actions workflow, compiled to OIDC issuer and certificate extensions.');

export type GithubIdentity = z.output<typeof githubIdentity>;
