import type { Terminal } from './commands.ts';

const firstAfterMs = 700;
const everyMs = 1000;

/**
 * Says on a terminal that registries are still being asked, and takes the line back when done.
 * @param detail what is known so far, to follow the seconds.
 */
export function showProgress(
  terminal: Terminal,
  images: readonly string[],
  detail: () => string = () => '',
): { stop(): void } {
  if (!terminal.errIsTerminal) return { stop: () => undefined };
  const startedMs = performance.now();
  const what = images.length === 1 ? (images[0] ?? 'the image') : `${images.length} images`;
  let shown = false;
  const show = (): void => {
    shown = true;
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    terminal.err(`\r\u001b[2KAsking the registry about ${what} ... ${seconds} s${detail()}`);
  };
  let repeat: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    show();
    repeat = setInterval(show, everyMs);
  }, firstAfterMs);
  return {
    stop: () => {
      clearTimeout(first);
      clearInterval(repeat);
      if (shown) terminal.err('\r\u001b[2K');
    },
  };
}
