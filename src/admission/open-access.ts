import type { CredentialSource, RegistryAccess } from './ports.ts';
import type { RequestTrace } from './request-trace.ts';
import { untilAborted } from './until-aborted.ts';
import type { Workload } from './workload.ts';

/** Credentials are looked for once for a workload, and only when an image of it has to be asked for. */
export function openAccess(
  workload: Workload,
  source: CredentialSource,
  signal: AbortSignal,
  trace: RequestTrace,
): () => Promise<RegistryAccess> {
  let access: Promise<RegistryAccess> | undefined;
  const open = async (): Promise<RegistryAccess> => {
    const credentials = await untilAborted(source.credentialsFor(workload, signal), signal);
    return { tenant: workload.namespace, credentials, signal, trace };
  };
  return () => (access ??= open());
}
