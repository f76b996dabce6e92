import { textIn } from './cloud-http.ts';
import type { CloudProvider } from './cloud-provider.ts';

const what = 'The metadata server of Google Cloud';
const tokenPath = '/computeMetadata/v1/instance/service-accounts/default/token';

/**
 * Artifact Registry and gcr.io, with the token of the attached or workload identity (Google Cloud, "Authenticate to
 * Artifact Registry for Docker", access token; "View and query VM metadata").
 */
export const google: CloudProvider = {
  refuses: (host) =>
    /^(?:[a-z0-9-]+\.)?gcr\.io$|^[a-z0-9-]+-docker\.pkg\.dev$/.test(host)
      ? undefined
      : 'is no registry of Google: those end in gcr.io or -docker.pkg.dev',
  keyOf: () => 'Google',
  account: async (_host, { http, clock, environment }) => {
    const host = environment['GCE_METADATA_HOST'] ?? 'metadata.google.internal';
    const askedAtMs = clock.nowMs();
    const url = new URL(`http://${host}${tokenPath}`);
    const answer = await http.json({ url, method: 'GET', headers: { 'metadata-flavor': 'Google' }, what });
    const password = textIn(answer, 'access_token', what);
    const seconds = typeof answer['expires_in'] === 'number' ? answer['expires_in'] : 0;
    return { account: { username: 'oauth2accesstoken', password }, endsAtMs: askedAtMs + seconds * 1000 };
  },
};
