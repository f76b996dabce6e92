/** The account that the private registries of this suite know. */
export const registryAccount = {
  username: 'e2e',
  password: 'e2e-password',
  /** `htpasswd -nbB e2e e2e-password` */
  htpasswd: 'e2e:$2a$05$51TywzxsS3pRc1u2PRYLHOKsOvP/QilO0C.X8BeM1DkQCRCmYCIyO',
} as const;

/** A Secret with this account at one registry. */
export function pullSecret(
  namespace: string,
  name: string,
  host: string,
  password: string = registryAccount.password,
): object {
  const { username } = registryAccount;
  const config = JSON.stringify({ auths: { [host]: { username, password } } });
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(config).toString('base64') },
  };
}
