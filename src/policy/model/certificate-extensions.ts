import { z } from 'zod';
import { fulcioExtensions } from '../resolved-issuer.ts';
import type { FulcioExtension } from '../resolved-issuer.ts';

/** What each holds, after Fulcio's oid-info.md. */
const meanings: Readonly<Record<FulcioExtension, string>> = {
  buildSignerURI: 'The build instructions that signed, for example a reusable workflow with its reference.',
  buildSignerDigest: 'The exact version of the build instructions that signed, for example a commit.',
  runnerEnvironment: "Whose machine built, for example 'github-hosted' or 'self-hosted'.",
  sourceRepositoryURI: 'URL of the source repository that was built.',
  sourceRepositoryDigest: 'The exact version of the source that was built, for example a commit.',
  sourceRepositoryRef: 'The reference of the source that was built, for example refs/heads/main.',
  sourceRepositoryIdentifier: 'Immutable identifier of the source repository, where its name may be reused.',
  sourceRepositoryOwnerURI: 'URL of the owner of the source repository.',
  sourceRepositoryOwnerIdentifier: 'Immutable identifier of the owner of the source repository.',
  buildConfigURI: 'The build instructions that were started, for example a workflow with its reference.',
  buildConfigDigest: 'The exact version of the build instructions that were started, for example a commit.',
  buildTrigger: 'The event that started the build, for example push.',
  runInvocationURI: 'URL of the one run of the build.',
  sourceRepositoryVisibilityAtSigning:
    'Who could see the source repository when it was signed, for example public.',
  deploymentEnvironment: 'The deployment environment that the build targeted.',
};

export const extensionNames = Object.keys(fulcioExtensions) as FulcioExtension[];

const text = z.string().min(1).max(2048).optional();

export const certificateExtensions = z
  .strictObject(
    Object.fromEntries(extensionNames.map((name) => [name, text.describe(meanings[name])])) as Record<
      FulcioExtension,
      typeof text
    >,
  )
  .describe('Fulcio certificate extensions by name, each compared exactly.');
