/**
 * A role of a realm: which actions it may take on which URIs, by the static permissions of the config.
 *
 * The most specific rule decides alone: the exact rule, else the best wildcard pattern, else the longest prefix, else
 * `allow-by-default`. (Crossbar.io denies `a.bc` when there is an exact rule `a.b` and a prefix rule `a.`, because it looks no
 * further than the longest stored text; here the prefix rule applies.)
 *
 * To subscribe to or register a pattern is allowed when every URI that it can match is. The rules are checked from the most
 * specific one on, down to the first that matches all URIs of the pattern. None that shares a URI with it may deny.
 */
import { ActionDenied } from './permission.js';
import type { Match } from '../wamp/uri.js';
import { bySpecificity, covers, intersects } from './pattern-relations.js';
import { PatternIndex } from './pattern-index.js';
import type { Pattern } from './pattern-relations.js';
import type { Action, Permission } from './permission.js';
import type { PermissionConfig, RoleConfig } from './schema.js';

/** The prefix of the procedures that manage the node. A rule for all URIs does not grant them. */
export const MANAGEMENT = 'crossbar.';

const DENY_ALL = permission('no rule', {});
const ALLOW_ALL = permission('allow-by-default', { call: true, register: true, publish: true, subscribe: true });

/** The role that every realm has, as with Crossbar.io, unless its config has one of this name. */
export const TRUSTED_ROLE = 'trusted';

/** Callees and subscribers always learn that it is a trusted session. `crossbar.` needs a rule that names it, here too. */
const TRUST: Permission = { ...ALLOW_ALL, decidedBy: 'built in', discloseCaller: true, disclosePublisher: true };

/** A rule with its pattern, for requests with patterns. */
export interface Rule extends Pattern {
  readonly permission: Permission;
}

/** A role of a realm. Sessions hold this object: {@link update} changes what they may do from their next request on. */
export class Role {
  readonly name: string;
  /** The procedure that decides instead of rules. Without its answer nothing is allowed: such a role has no rules. */
  authorizer: string | undefined;
  /** The role that may register {@link authorizer}; undefined: the first one that registers it. */
  authorizerCalleeRole: string | undefined;
  #rules = new PatternIndex<Permission>();
  /** The same rules as a list: see {@link rules}. */
  #ordered: readonly Rule[] = [];
  #otherwise = DENY_ALL;
  /**
   * It is in no config, and may do everything. So only those have it to whom the config gives it by name: no authenticator can
   * give it, and no cookie remembers it.
   */
  readonly isBuiltIn: boolean;

  constructor(config: RoleConfig, { isBuiltIn = false } = {}) {
    this.name = config.name;
    this.isBuiltIn = isBuiltIn;
    this.update(config);
  }

  /** @returns the role {@link TRUSTED_ROLE} of a realm. */
  static trusted(): Role {
    const role = new Role({ name: TRUSTED_ROLE }, { isBuiltIn: true });
    role.#otherwise = TRUST;
    return role;
  }

  /** Replaces all rules. To be called by `Realm.updateRole`, which also updates the sessions and what depends on the rules. */
  update(config: Omit<RoleConfig, 'name'>): void {
    const rules = new Map<string, Rule>();
    const index = new PatternIndex<Permission>();
    for (const [place, written] of (config.permissions ?? []).entries()) {
      const rule = ruleOf(written, place);
      index.set(rule.match, rule.uri, rule.permission);
      rules.set(`${rule.match} ${rule.uri}`, rule);
    }
    this.authorizer = config.authorizer;
    this.authorizerCalleeRole = config['authorizer-callee-role'];
    this.#rules = index;
    this.#ordered = [...rules.values()].sort(bySpecificity);
    this.#otherwise = config['allow-by-default'] === true ? ALLOW_ALL : DENY_ALL;
  }

  /**
   * @returns the rule that allows `action` on `uri`.
   * @throws ActionDenied
   */
  authorize(action: Action, uri: string): Permission {
    const rule = this.ruleFor(uri);
    if (!rule[action]) throw new ActionDenied(this, { action, uri, match: 'exact', permission: rule });
    return rule;
  }

  /**
   * @returns the rule that allows `action` on every URI that the pattern can match.
   * @throws ActionDenied
   */
  authorizePattern(action: Action, pattern: Pattern): Permission {
    const permission = this.rulesFor(action, pattern).at(-1) ?? this.#otherwise;
    if (!permission[action]) throw new ActionDenied(this, { action, ...pattern, permission });
    return permission;
  }

  /** The rules, the most specific first. Of several rules for one pattern only the last one is here. */
  get rules(): readonly Rule[] {
    return this.#ordered;
  }

  /** @returns the rule that decides on a URI, alone. */
  ruleFor(uri: string): Permission {
    return this.#rules.exact(uri) ?? this.#rules.bestWildcard(uri) ?? this.#rules.longestPrefix(uri) ?? this.#otherwise;
  }

  /** @returns the rules that decide on a pattern, the most specific first. All but the last allow the action; the last one decides. */
  rulesFor(action: Action, pattern: Pattern): Permission[] {
    const asked: Permission[] = [];
    for (const rule of this.#ordered) {
      if (!intersects(rule, pattern)) continue;
      asked.push(rule.permission);
      // Less specific rules decide on none of its URIs.
      if (!rule.permission[action] || covers(rule, pattern)) return asked;
    }
    return [...asked, this.#otherwise];
  }
}

function ruleOf({ uri, match, allow, disclose }: PermissionConfig, index: number): Rule {
  const namesManagement = uri.startsWith(MANAGEMENT);
  const pattern = patternOf(uri, match);
  return { ...pattern, permission: { ...permission({ ...pattern, index }, allow, disclose), namesManagement } };
}

/**
 * Reads the `uri` of a rule. As with Crossbar.io, asterisks stand for something only where there is no `match`: a single one at
 * the end makes a prefix; any others are empty components of a wildcard pattern (`com.*.created` is `com..created`).
 */
export function patternOf(uri: string, match: Match | undefined): Pattern {
  if (match !== undefined) return { uri, match };
  const first = uri.indexOf('*');
  if (first === -1) return { uri, match: 'exact' };
  if (first === uri.length - 1) return { uri: uri.slice(0, -1), match: 'prefix' };
  return { uri: uri.replaceAll('*', ''), match: 'wildcard' };
}

function permission(
  decidedBy: Permission['decidedBy'],
  allow: PermissionConfig['allow'],
  disclose?: PermissionConfig['disclose'],
): Permission {
  return {
    decidedBy,
    call: allow?.call === true,
    register: allow?.register === true,
    publish: allow?.publish === true,
    subscribe: allow?.subscribe === true,
    discloseCaller: disclose?.caller === true,
    disclosePublisher: disclose?.publisher === true,
    namesManagement: false,
  };
}
