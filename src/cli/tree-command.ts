import type { ArtifactTree } from '../admission/artifact-tree.ts';
import { failureKind, toFailure } from '../failures/failure.ts';
import { parseImageReference } from '../image/reference.ts';
import { exitCodes } from './commands.ts';
import type { Engine, Terminal, TreeOptions } from './commands.ts';
import { showProgress } from './progress.ts';
import { refuse } from './refuse.ts';
import { renderTreeDot } from './tree-dot.ts';
import { renderTreeJson } from './tree-json.ts';
import { renderTreeMermaid } from './tree-mermaid.ts';
import { renderTreeText } from './tree-text.ts';

/** `refwarden tree IMAGE`: what stands around an image in its registry, unverified. Returns the exit code. */
export async function runTree(
  image: string,
  options: TreeOptions,
  engine: Engine,
  terminal: Terminal,
): Promise<number> {
  try {
    const reference = parseImageReference(image);
    const explorer = await engine.openExplorer(options);
    const timeout = AbortSignal.timeout(Math.ceil(options.timeoutSeconds * 1000));
    let found = 0;
    const progress = showProgress(terminal, [image], () => `, ${found} found`);
    const exploring = explorer.explore(reference, timeout, (count) => {
      found = count;
    });
    const tree = await exploring.finally(async () => {
      progress.stop();
      await explorer.close();
    });
    terminal.out(render(tree, options.output, terminal.color));
    return tree.complete ? 0 : exitCodes.inconclusive;
  } catch (error) {
    const code = refuse(error, options.output === 'json' ? 'json' : 'text', terminal);
    // A wrong command line is the user's; what the registry did not answer leaves the question open.
    return failureKind(toFailure(error).code) === 'invalid' ? code : exitCodes.inconclusive;
  }
}

function render(tree: ArtifactTree, output: TreeOptions['output'], color: boolean): string {
  switch (output) {
    case 'text':
      return renderTreeText(tree, color);
    case 'json':
      return renderTreeJson(tree);
    case 'dot':
      return renderTreeDot(tree);
    case 'mermaid':
      return renderTreeMermaid(tree);
  }
}
