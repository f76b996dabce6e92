import { join } from 'node:path';
import { ensureComponent } from '../components/ensure-component.ts';
import type { BackgroundProcess } from '../processes/background-process.ts';
import { freePort } from '../processes/free-ports.ts';
import { httpAnswers } from '../processes/http-answers.ts';
import { startService } from '../processes/start-service.ts';

export interface TimestampAuthority {
  /** Where RFC 3161 requests go. */
  readonly url: string;
  /** Its certificates, PEM. */
  readonly chain: () => Promise<string>;
  readonly process: BackgroundProcess;
}

/**
 * Sigstore's timestamp authority with a key that lives as long as the process.
 * Its metrics listen on port 2112, which no flag changes: only one can run on a machine at a time.
 */
export async function startTimestampAuthority(directory: string): Promise<TimestampAuthority> {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const process = await startService({
    name: 'timestamp-server',
    file: await ensureComponent('timestamp-server'),
    args: [
      'serve',
      '--host=127.0.0.1',
      `--port=${port}`,
      '--timestamp-signer=memory',
      '--disable-ntp-monitoring',
    ],
    logPath: join(directory, 'timestamp-server.log'),
    isReady: () => httpAnswers(`${base}/ping`),
  });
  return {
    url: `${base}/api/v1/timestamp`,
    chain: async () => (await fetch(`${base}/api/v1/timestamp/certchain`)).text(),
    process,
  };
}
