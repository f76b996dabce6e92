import { parseDocument } from 'yaml';
import { RefwardenError } from '../failures/failure.ts';

/**
 * One document of YAML that an operator wrote: keys are unique, aliases are not taken.
 * @param what starts the message: `The registry settings`.
 * @throws RefwardenError `ConfigurationInvalid`; names the line.
 */
export function parseStrictYaml(text: string, what: string): unknown {
  const document = parseDocument(text, { uniqueKeys: true });
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      `${what} are not valid YAML (line ${problem.linePos?.[0].line ?? 1}).`,
      problem,
    );
  }
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw new RefwardenError('ConfigurationInvalid', `${what} use YAML aliases.`, cause);
  }
}
