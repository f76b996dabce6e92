import type { RegistryAccess, Tenant } from '../admission/ports.ts';

/** What is asked off the critical path takes at most this part of what a namespace may have. */
const backgroundShare = 1 / 4;
const background: Tenant = { name: 'Background work', share: backgroundShare };

export function tenantOf({ tenant, purpose }: RegistryAccess): Tenant {
  return purpose === 'background' ? background : { name: `Namespace ${JSON.stringify(tenant)}`, share: 1 };
}
