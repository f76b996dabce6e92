import { expect } from 'vitest';
import type { Kubectl } from '../drivers/kubectl.ts';
import type { CommandResult } from '../processes/run-command.ts';

/** `kubectl create -f -` with extra flags, whatever comes of it. */
export function create(
  kubectl: Kubectl,
  objects: object | readonly object[],
  ...flags: string[]
): Promise<CommandResult> {
  return kubectl(['create', '-f', '-', ...flags], json(objects));
}

/** `kubectl apply -f -`; rejects with what kubectl said if it fails. */
export async function apply(kubectl: Kubectl, objects: object | readonly object[]): Promise<void> {
  await must(kubectl, ['apply', '-f', '-'], json(objects));
}

/** Runs kubectl and returns its output; rejects with what kubectl said if it fails. */
export async function must(kubectl: Kubectl, args: readonly string[], stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await kubectl(args, stdin);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with code ${code}\n${stderr}`);
  return stdout;
}

/** Stored, and nothing was said about it. */
export function expectAdmitted(result: CommandResult): void {
  expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' });
}

/** What Refwarden said in its denial; fails if it was anything else that refused, or nothing. */
export function denialOf(result: CommandResult): string {
  expect(result.code, result.stderr || result.stdout).toBe(1);
  expect(result.stderr).toContain('admission webhook "validate.refwarden.dev" denied the request: ');
  return result.stderr.slice(result.stderr.indexOf('denied the request: ') + 'denied the request: '.length);
}

function json(objects: object | readonly object[]): string {
  return JSON.stringify(
    Array.isArray(objects) ? { apiVersion: 'v1', kind: 'List', items: objects as object[] } : objects,
  );
}
