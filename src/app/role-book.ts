import { parseNote, type VerifierKey } from '../core/custody/note.ts';
import { DockError, isDockError } from '../core/errors.ts';
import { type RolesFile, rolesDigest, verifyRoles } from '../core/orders/roles.ts';
import type { OrderStore } from '../ports/order-store.ts';
import type { Evidence } from './evidence.ts';

export interface RoleBookDeps {
  readonly evidence: Evidence;
  readonly store: OrderStore;
  readonly rootKey: VerifierKey | undefined;
  /** The roles file that the configuration brings; a newer one may have come since. */
  readonly configuredRoles?: string | undefined;
}

/** Who may sign orders: the newest roles file that the root key signed. The log knows its version, so an older one never comes back. */
export class RoleBook {
  readonly #deps: RoleBookDeps;
  #roles: RolesFile | undefined;

  constructor(deps: RoleBookDeps) {
    this.#deps = deps;
  }

  /** Undefined while there is none that the dock believes. */
  get roles(): RolesFile | undefined {
    return this.#roles;
  }

  /** Takes up what was kept, and what the configuration brings if it is newer. */
  async open(): Promise<void> {
    const { store, configuredRoles, evidence } = this.#deps;
    for (const note of [await store.readRoles(), configuredRoles]) {
      if (note === undefined) continue;
      const failure = await this.take(note);
      if (failure === undefined) continue;
      evidence.logger.warn('roles-refused', { code: failure.code, why: failure.message });
    }
  }

  /** ROLES_INVALID for what is not believed. Kept before its entry: a file without one is taken up again at the next start. */
  async take(note: string): Promise<DockError | undefined> {
    const { evidence, rootKey, store } = this.#deps;
    const { custody, crypto, dock } = evidence;
    if (rootKey === undefined) return refused('the dock is configured without a root key');
    try {
      const roles = verifyRoles(note, { rootKey, dock, crypto });
      const digest = rolesDigest(parseNote(note).text, crypto.sha256);
      const { rolesVersion, roles: known } = custody.state.orders;
      const isKnown = roles.version === rolesVersion && digest === known;
      if (!isKnown && roles.version <= rolesVersion) {
        return refused(`it is version ${roles.version}, and the dock has version ${rolesVersion}`);
      }
      if (!isKnown) {
        const { version } = roles;
        await store.putRoles(note);
        await custody.append([{ kind: 'roles-accepted', version, roles: digest, actor: 'centre' }]);
      }
      this.#roles = roles;
      return undefined;
    } catch (error) {
      if (isDockError(error, 'ROLES_INVALID')) return error;
      throw error;
    }
  }
}

function refused(why: string): DockError {
  return new DockError('ROLES_INVALID', `the roles are not believed: ${why}`, {
    action: 'Sign a roles file of a higher version with the root key.',
  });
}
