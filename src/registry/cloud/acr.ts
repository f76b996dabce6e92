import { RefwardenError } from '../../failures/failure.ts';
import { parseStrictJsonText, isJsonObject } from '../../oci/strict-json.ts';
import { textIn } from './cloud-http.ts';
import type { CloudMeans, CloudProvider } from './cloud-provider.ts';
import { readTokenFile } from './token-file.ts';

const resource = 'https://containerregistry.azure.net/';
const metadataUrl = 'http://169.254.169.254/metadata/identity/oauth2/token';
/** Refresh tokens live for three hours; one that does not say so is believed for less, milliseconds. */
const unstatedMs = 30 * 60_000;
const form = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };

/**
 * Azure Container Registry: a token of Entra by workload identity (federated token file) or managed identity is exchanged at
 * the registry for a refresh token (Azure/acr, docs/AAD-OAuth.md).
 */
export const acr: CloudProvider = {
  refuses: (host) =>
    /^[a-z0-9][a-z0-9-]*\.azurecr\.(?:io|cn|us)$/.test(host)
      ? undefined
      : 'is no registry of Azure: those are NAME.azurecr.io, .cn or .us',
  keyOf: (host) => `ACR ${host}`,
  account: async (host, means) => {
    const token = await entraToken(means);
    const what = `The exchange of a token of Entra at ${host}`;
    const { environment, http, clock } = means;
    const tenant = environment['AZURE_TENANT_ID'];
    const body = new URLSearchParams({
      grant_type: 'access_token',
      service: host,
      access_token: token,
      ...(tenant === undefined ? {} : { tenant }),
    }).toString();
    const url = new URL('/oauth2/exchange', means.registryUrl?.(host) ?? `https://${host}`);
    const refreshToken = textIn(
      await http.json({ url, method: 'POST', headers: form, body, what }),
      'refresh_token',
      what,
    );
    return {
      account: { identityToken: refreshToken },
      endsAtMs: endOf(refreshToken) ?? clock.nowMs() + unstatedMs,
    };
  },
};

async function entraToken({ http, environment }: CloudMeans): Promise<string> {
  const clientId = environment['AZURE_CLIENT_ID'];
  const tokenFile = environment['AZURE_FEDERATED_TOKEN_FILE'];
  const tenant = environment['AZURE_TENANT_ID'];
  if (tokenFile !== undefined) {
    const what = 'Entra, asked for a token by workload identity';
    if (clientId === undefined || tenant === undefined) {
      throw new RefwardenError(
        'RegistryUnauthorized',
        `${what}: AZURE_CLIENT_ID or AZURE_TENANT_ID is not set.`,
      );
    }
    const assertion = await readTokenFile(tokenFile, 'AZURE_FEDERATED_TOKEN_FILE');
    const authority = environment['AZURE_AUTHORITY_HOST'] ?? 'https://login.microsoftonline.com/';
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      scope: `${resource}.default`,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }).toString();
    const url = new URL(`${encodeURIComponent(tenant)}/oauth2/v2.0/token`, authority);
    return textIn(await http.json({ url, method: 'POST', headers: form, body, what }), 'access_token', what);
  }
  const what = 'The managed identity service of Azure';
  const url = new URL(environment['AZURE_POD_IDENTITY_TOKEN_URL'] ?? metadataUrl);
  const query = {
    'api-version': '2018-02-01',
    resource,
    ...(clientId === undefined ? {} : { client_id: clientId }),
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return textIn(
    await http.json({ url, method: 'GET', headers: { metadata: 'true' }, what }),
    'access_token',
    what,
  );
}

/** `exp` of a JWT (RFC 7519), milliseconds since the epoch; its signature is the registry's to check. */
function endOf(token: string): number | undefined {
  try {
    const claims = parseStrictJsonText(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
      'The token',
    );
    const exp = isJsonObject(claims) ? claims['exp'] : undefined;
    return typeof exp === 'number' ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
