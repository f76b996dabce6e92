import { exitCodes } from './commands.ts';
import type { CheckOptions, Engine, Terminal } from './commands.ts';
import { renderJson } from './check-json.ts';
import { renderText } from './check-text.ts';
import type { ImageVerdict } from '../admission/verdict.ts';
import { parseImageReference } from '../image/reference.ts';
import type { ImageReference } from '../image/reference.ts';
import { showProgress } from './progress.ts';
import { refuse } from './refuse.ts';
import type { Workload } from '../admission/workload.ts';

/** `refwarden check IMAGE...`: the decision for a Pod with these images, without a cluster. Returns the exit code. */
export async function runCheck(
  images: readonly string[],
  options: CheckOptions,
  engine: Engine,
  terminal: Terminal,
): Promise<number> {
  try {
    for (const image of images) parseImageReference(image);
    const timeout = AbortSignal.timeout(Math.ceil(options.timeoutSeconds * 1000));
    const checker = await engine.openChecker(options, timeout);
    const progress = showProgress(terminal, images);
    const verdict = await checker.decide(podOf(images, options.namespace), timeout).finally(async () => {
      progress.stop();
      await checker.close();
    });
    const uncounted = (image: ImageVerdict): readonly string[] =>
      options.explain ? checker.uncountedExceptions(referenceOf(image), options.namespace) : [];
    terminal.out(
      options.output === 'json'
        ? renderJson(verdict, options.explain, uncounted)
        : renderText(verdict, options.explain, uncounted, terminal.color),
    );
    return exitCodes[verdict.outcome];
  } catch (error) {
    return refuse(error, options.output, terminal);
  }
}

function referenceOf({ image, reference, digest }: ImageVerdict): ImageReference {
  const parsed = parseImageReference(reference ?? image);
  return digest === undefined ? parsed : { ...parsed, digest };
}

function podOf(images: readonly string[], namespace: string): Workload {
  return {
    kind: 'Pod',
    namespace,
    name: 'check',
    isTemplate: false,
    dryRun: true,
    images: [...new Set(images)].map((image) => ({ image, fields: [] })),
  };
}
