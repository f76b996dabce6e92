/** `npm run fuzz -- [seconds] [--seed n] [--input n]`: reads mutants of real documents; the exit code is 1 for a finding. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import type { Finding } from './fuzz.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, input: { type: 'string' } },
});
const whole = (text: string, name: string): number => {
  if (!/^[0-9]{1,9}$/.test(text)) throw new Error(`${name} takes a whole number, not ${text}`);
  return Number(text);
};
const seconds = whole(positionals[0] ?? '60', 'the duration in seconds');
const seed = values.seed === undefined ? randomInt(1e9) : whole(values.seed, '--seed');
const only = values.input === undefined ? undefined : whole(values.input, '--input');

const endsAt = performance.now() + seconds * 1000;
const goesOn = (input: number): boolean => (only === undefined ? performance.now() < endsAt : input === only);
console.log(`seed ${seed}, ${only === undefined ? `${seconds} s` : `input ${only}`}`);
const { inputs, outcomes, slowest, finding } = fuzz(seed, goesOn, only);
for (const [target, { read, refused }] of outcomes)
  console.log(`${target}: ${read} read, ${refused} refused`);
console.log(
  `${inputs} inputs; slowest: ${slowest.target}, input ${slowest.input}, ${slowest.bytes} bytes, ${slowest.ms.toFixed(1)} ms`,
);
if (finding !== undefined) {
  show(finding);
  process.exitCode = 1;
}

function show({ target, input, bytes, error }: Finding): void {
  console.log(`FOUND in ${target}:`, error);
  console.log(`again: npm run fuzz -- --seed ${seed} --input ${input}`);
  if (bytes.length <= 16 * 1024) console.log(`input in base64: ${Buffer.from(bytes).toString('base64')}`);
}
