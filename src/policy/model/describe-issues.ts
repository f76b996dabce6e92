import type { z } from 'zod';

const maxIssuesShown = 5;
/** Longest path and longest text of one issue, characters: both may hold the keys of a hostile object. */
const maxPathLength = 120;
const maxTextLength = 240;

/** What is wrong with an object, field by field: `spec.images: Too small; spec.require[0].name: Invalid input`. */
export function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  const shown = issues.slice(0, maxIssuesShown).map(({ path, message }) => {
    const field = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
    return `${cut(field.replace(/^\./, ''), maxPathLength) || 'object'}: ${cut(message, maxTextLength)}`;
  });
  const more = issues.length - shown.length;
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

const cut = (text: string, maxLength: number): string =>
  text.length > maxLength ? `${text.slice(0, maxLength)}...` : text;
