import { failureCatalogue } from '../src/failures/catalogue.ts';
import type { FailureDefinition } from '../src/failures/catalogue.ts';

const kinds = {
  failed: 'Policy was judged and is not met.',
  inconclusive:
    'It could not be judged. `onInconclusive` of the policy decides; it is never "nothing found".',
  invalid: "Somebody's input is wrong.",
  internal: 'A defect of Refwarden. Never a pass.',
} as const;

export function failuresPage(): string {
  const entries = Object.entries<FailureDefinition>(failureCatalogue);
  const sections = Object.entries(kinds).map(([kind, meaning]) => {
    const rows = entries
      .filter(([, definition]) => definition.kind === kind)
      .map(
        ([code, { summary, remedy, retryable }]) =>
          `| \`${code}\` | ${summary} | ${remedy} | ${retryable ? 'yes' : 'no'} |`,
      );
    return `## ${kind}\n\n${meaning}\n\n| code | what happened | what to do | may pass when tried again |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `# Failure codes

Made from \`src/failures/catalogue.ts\` by \`npm run generate\`. A code is stable: the same word stands first in what
kubectl shows, in log lines, metric labels and in the JSON of \`refwarden check\` (from a clone: \`npm run -s refwarden -- check\`).
Codes of warnings and of the status of resources stand in [policies](../policies.md#codes-that-are-no-failures).

${sections.join('\n')}`;
}
