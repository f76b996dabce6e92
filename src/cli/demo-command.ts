import { styleText } from 'node:util';
import { exitCodes } from './commands.ts';
import { refuse } from './refuse.ts';
import type { DemoAnswer, DemoOptions, Engine, Terminal } from './commands.ts';

/** `refwarden demo`: asks the demo's webhook about every sample image and shows what came back. */
export async function runDemo(
  options: DemoOptions,
  engine: Engine,
  terminal: Terminal,
  interrupted: Promise<void>,
): Promise<number> {
  try {
    const demo = await engine.startDemo();
    const asExpected = demo.answers.every(isExpected);
    try {
      terminal.out(options.output === 'json' ? casesJson(demo.answers) : table(demo.answers, terminal.color));
      if (!options.once) {
        terminal.err(
          `\nThe registries and the webhook keep running; try:\n\n${demo.commands.map((line) => `  ${line}\n`).join('')}\nCtrl-C ends the demo.\n`,
        );
        await interrupted;
      }
    } finally {
      await demo.close();
    }
    return asExpected ? exitCodes.admitted : exitCodes.denied;
  } catch (error) {
    return refuse(error, options.output, terminal);
  }
}

const isExpected = ({ expected, answer, expectedCode, code }: DemoAnswer): boolean =>
  answer === expected && code === expectedCode;

function casesJson(answers: readonly DemoAnswer[]): string {
  const cases = answers.map(({ image, expected, answer, code, requests, message }) => ({
    image,
    expected,
    answer,
    code,
    requests,
    message,
  }));
  return `${JSON.stringify({ cases }, null, 2)}\n`;
}

function table(answers: readonly DemoAnswer[], color: boolean): string {
  const header = ['IMAGE', 'WHAT IT IS', 'EXPECTED', 'ANSWER', 'REASON', 'REQUESTS'];
  const rows = answers.map((answer) => [
    shortenDigest(answer.image),
    answer.what,
    answer.expected,
    answer.answer,
    answer.code ?? '-',
    String(answer.requests),
  ]);
  const widths = header.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  const painted = answers.map((answer, i) => {
    const text = line(rows[i] ?? []);
    return color ? styleText(isExpected(answer) ? 'green' : 'red', text, { validateStream: false }) : text;
  });
  const wrong = answers.filter((answer) => !isExpected(answer)).length;
  const summary =
    wrong === 0
      ? `All ${answers.length} answers are as expected.`
      : `${wrong} of ${answers.length} answers are not as expected.`;
  return `${[line(header), ...painted].join('\n')}\n\n${summary}\n`;
}

const shortenDigest = (image: string): string => image.replace(/(@sha256:[0-9a-f]{8})[0-9a-f]+$/, '$1...');
