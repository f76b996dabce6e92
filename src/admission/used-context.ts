import type { ExpressionContext, ExpressionRoot } from '../policy/assertions.ts';

/** What expressions name of the context: what they do not name tells no two requests apart. */
export function usedOf(
  context: ExpressionContext | undefined,
  uses: readonly ExpressionRoot[],
): readonly unknown[] {
  const used = new Set<string>(uses);
  return Object.entries(context ?? {}).filter(([root]) => used.has(root));
}
