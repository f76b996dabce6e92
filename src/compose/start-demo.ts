import type { Demo, DemoAnswer, DemoRegistry, DemoRegistryOptions, ServeOptions } from '../cli/commands.ts';
import { demoCases } from '../demo/cases.ts';
import { createPod } from '../demo/create-pod.ts';
import { demoAddress } from '../demo/demo-addresses.ts';
import { demoCommands, writeDemoFiles } from '../demo/demo-files.ts';
import { startDemoRegistries } from '../demo/start-demo-registries.ts';
import { startStandaloneRegistry } from '../demo/start-standalone-registry.ts';
import { createLogger } from '../observability/logger.ts';
import { webhookPaths } from '../server/webhook-server.ts';
import { parseListenAddress } from './listen-address.ts';
import { startService } from './start-service.ts';

export function startDemoRegistry({ listen, ...options }: DemoRegistryOptions): Promise<DemoRegistry> {
  return startStandaloneRegistry({ ...parseListenAddress(listen), ...options });
}

/** The registries with samples, the webhook as `serve` runs it, and what it answers over the wire. */
export async function startDemo(): Promise<Demo> {
  await using stack = new AsyncDisposableStack();
  const { shop, archive } = stack.use(await startDemoRegistries());
  const files = await writeDemoFiles();
  stack.defer(() => files.remove());
  const { policies, registries, tlsCert: certFile, tlsKey: keyFile } = files;
  const options: ServeOptions = {
    policies,
    registries,
    certificate: { kind: 'Files', certFile, keyFile },
    listen: `${demoAddress}:0`,
    operationsListen: `${demoAddress}:0`,
    plainHttp: [],
    noMatch: 'Admit',
    releaseNamespace: 'refwarden-system',
    pinning: true,
    pullSecrets: false,
    logLevel: 'error',
  };
  const log = createLogger({ level: 'error', destination: process.stderr });
  const service = await startService(options, log, { lingerMs: 0 });
  stack.defer(() => service.close());
  const base = `https://${demoAddress}:${service.port}`;
  const urls = { mutate: base + webhookPaths.mutate, validate: base + webhookPaths.validate };
  const answers: DemoAnswer[] = [];
  for (const { image, what, expected, expectedCode } of demoCases) {
    shop.clearRequests();
    archive.clearRequests();
    const { outcome, code, message } = await createPod(urls, files.caPem, image);
    answers.push({
      image,
      what,
      expected,
      ...(expectedCode === undefined ? {} : { expectedCode }),
      answer: outcome,
      ...(code === undefined ? {} : { code }),
      message,
      requests: shop.requests.length + archive.requests.length,
    });
  }
  const running = stack.move();
  return { answers, commands: demoCommands(files, urls.validate), close: () => running.disposeAsync() };
}
