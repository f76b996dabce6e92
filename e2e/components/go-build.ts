import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from '../processes/run-command.ts';
import type { CommandResult } from '../processes/run-command.ts';
import type { Component, ComponentName } from './component.ts';
import { moduleDirectory } from './component-path.ts';

const NEEDED_GO = '1.26.7';

/** Builds a component with Go and puts its binary at `path` in one step. Quiet unless the build fails. */
export async function goBuild(name: ComponentName, component: Component, path: string): Promise<void> {
  await mkdir(dirname(dirname(path)), { recursive: true });
  const scratch = await mkdtemp(`${dirname(path)}.building-`);
  try {
    const result = await runGo(name, component, scratch);
    if (result.code !== 0) {
      throw new Error(`go could not build ${name} ${component.version}:\n${result.stdout}${result.stderr}`);
    }
    await chmod(scratch, 0o755);
    await rm(dirname(path), { recursive: true, force: true });
    await rename(scratch, dirname(path));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runGo(
  name: ComponentName,
  component: Component,
  outputDirectory: string,
): Promise<CommandResult> {
  const env = { CGO_ENABLED: '0', GOWORK: 'off', GOBIN: outputDirectory };
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', linkerFlags(component)];
  try {
    if (component.build === 'install') {
      // Outside of every module, so that no go.mod above can have a say.
      const args = ['install', ...flags, `${component.package}@${component.version}`];
      return await runCommand('go', args, { env, cwd: outputDirectory });
    }
    const args = ['build', ...flags, '-o', join(outputDirectory, component.binary), component.package];
    return await runCommand('go', args, { env, cwd: moduleDirectory(component.module) });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw goIsMissing(name, component);
    throw error;
  }
}

function linkerFlags(component: Component): string {
  const variables = component.build === 'module' ? Object.entries(component.variables ?? {}) : [];
  return ['-s', '-w', ...variables.map(([variable, value]) => `-X ${variable}=${value}`)].join(' ');
}

function goIsMissing(name: ComponentName, component: Component): Error {
  return new Error(
    [
      `The end-to-end suite runs the real ${name} ${component.version} and builds it from source, but there is no "go" on PATH.`,
      `Install Go ${NEEDED_GO} or later (https://go.dev/dl/ or your package manager; "go version" must answer).`,
      'Then run: npm run e2e',
    ].join('\n'),
  );
}
