import { z } from 'zod';
import { toFailure } from '../../failures/failure.ts';
import { parseRepository } from '../../image/reference.ts';
import { plainAddressRule } from './image-pattern.ts';
import { withCheck } from './rules.ts';
import type { CelRule } from './rules.ts';

/** Longest `host/path`, characters. */
const maxRepositoryLength = 512;

// The grammar of parseRepository as RE2, for the API server.
const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const host = `(?:${label}(?:[.]${label})*|\\[[0-9A-Fa-f:]+\\])(?::[1-9][0-9]{0,4})?`;
const segment = '[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*';
const pattern = `^${host}(?:/${segment})+$`;

/** What a URL parser alone can tell, such as `xn--a` being no plain host, is left to the check here. */
export const repositoryReferenceRules: readonly CelRule[] = [
  plainAddressRule,
  {
    rule: `self.matches('${pattern.replaceAll('\\', '\\\\')}')`,
    message: 'must be host/path of a repository, without tag and digest',
  },
  {
    rule: "self.matches('^(?:localhost/|[^/]*[.:A-Z])')",
    message: 'must begin with the host of a registry, for example ghcr.io or docker.io',
  },
];

/** `host/path` of a repository. */
export const repositoryReference = withCheck(
  z.string().min(1).max(maxRepositoryLength),
  (text) => {
    try {
      parseRepository(text);
      return undefined;
    } catch (error) {
      return toFailure(error).message.replace(/\.$/, '');
    }
  },
  repositoryReferenceRules,
);

/** distribution-spec 1.1, "Pulling manifests". */
export const tag = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/);
