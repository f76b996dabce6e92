import type { Terminal } from '../../src/cli/commands.ts';

/** A terminal that keeps what a command writes, without colour. */
export function captureTerminal(): Terminal & { readonly written: { out: string; err: string } } {
  const written = { out: '', err: '' };
  return {
    written,
    out: (text) => {
      written.out += text;
    },
    err: (text) => {
      written.err += text;
    },
    errIsTerminal: false,
    color: false,
  };
}
