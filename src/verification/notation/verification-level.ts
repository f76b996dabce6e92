import type { NotationAction, NotationIssuer, NotationValidation } from '../../policy/resolved-issuer.ts';

/** What a signature is validated for, in the words of the Notary Project. */
export type Validation = 'integrity' | NotationValidation;

type Actions = Readonly<Record<Validation, NotationAction>>;

/** The levels (trust-store-trust-policy.md "Signature Verification details"). `skip` is no level here: a policy asks for nothing. */
const levels: Readonly<Record<NotationIssuer['level'], Actions>> = {
  strict: {
    integrity: 'enforce',
    authenticity: 'enforce',
    authenticTimestamp: 'enforce',
    expiry: 'enforce',
    revocation: 'enforce',
  },
  permissive: {
    integrity: 'enforce',
    authenticity: 'enforce',
    authenticTimestamp: 'log',
    expiry: 'log',
    revocation: 'log',
  },
  audit: {
    integrity: 'enforce',
    authenticity: 'log',
    authenticTimestamp: 'log',
    expiry: 'log',
    revocation: 'log',
  },
};

/** What each validation does for an issuer. Integrity is enforced, whatever an override says. */
export function actionsOf({ level, override }: Pick<NotationIssuer, 'level' | 'override'>): Actions {
  return { ...levels[level], ...override, integrity: 'enforce' };
}
