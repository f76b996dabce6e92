import { z } from 'zod';
import { toFailure } from '../../failures/failure.ts';
import { parseRepository } from '../../image/reference.ts';
import { withCheck } from './rules.ts';

/** Longest `host/path`, characters. */
const maxRepositoryLength = 512;
/** As near to the grammar as one RE2 for the API server comes. */
const pattern = '^(?:[A-Za-z0-9.-]+|\\[[0-9A-Fa-f:]+\\])(?::[0-9]{1,5})?(?:/[a-z0-9._-]+)+$';

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
  [
    {
      rule: `self.matches('${pattern.replaceAll('\\', '\\\\')}')`,
      message: 'must be host/path of a repository, without tag and digest',
    },
  ],
);

/** distribution-spec 1.1, "Pulling manifests". */
export const tag = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/);
