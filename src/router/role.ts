/**
 * A role of a realm: which actions it may take on which URIs, from the static permissions of the config.
 *
 * The most specific rule decides, and it decides alone: an exact rule, else the best wildcard pattern, else the longest
 * prefix, else `allow-by-default`. (Crossbar.io denies `a.bc` when there is an exact rule `a.b` and a prefix rule `a.`,
 * because it looks no further than the longest stored text; here the prefix rule applies.)
 *
 * A pattern that somebody subscribes to or registers is allowed when every URI that it can match is: from the most
 * specific rule on, none of those that share a URI with it may deny, down to the first that has all of its URIs.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { quoted } from '../wamp/uri.js';
import { bySpecificity, covers, intersects } from './pattern-relations.js';
import { PatternIndex } from './pattern-index.js';
import type { Pattern } from './pattern-relations.js';
import type { PermissionConfig, RoleConfig } from './schema.js';

/** What a rule of a role allows. */
export type Action = 'call' | 'register' | 'publish' | 'subscribe';

/** What a role may do with the URIs of one rule. */
export interface Permission extends Readonly<Record<Action, boolean>> {
  /** Show the caller to the callee. */
  readonly discloseCaller: boolean;
  /** Show the publisher to the subscribers. */
  readonly disclosePublisher: boolean;
  /** The rule is one of the config, for URIs that begin with {@link MANAGEMENT}: it means the procedures there. */
  readonly namesManagement: boolean;
  /** Why nothing is allowed, where it is not that somebody decided so. */
  readonly failure?: WampError;
}

/** Where the procedures are by which a node is managed. A rule for everything does not grant them. */
export const MANAGEMENT = 'crossbar.';

const DENY_ALL = permission({ call: false, register: false, publish: false, subscribe: false });
const ALLOW_ALL = permission({ call: true, register: true, publish: true, subscribe: true });

const ACTION_TEXT: Record<Action, string> = {
  call: 'call procedure',
  register: 'register procedure',
  publish: 'publish to topic',
  subscribe: 'subscribe to topic',
};

/** A rule as the config has it, for the questions that a look-up of one URI does not answer. */
interface Rule extends Pattern {
  readonly permission: Permission;
}

/**
 * A role of a realm. Sessions hold this object, so {@link update} changes what open sessions may do, from their next request
 * on.
 */
export class Role {
  readonly name: string;
  /** The procedure that decides instead of rules. A request that it was not asked about gets nothing: there are no rules. */
  authorizer: string | undefined;
  /** The role that may register {@link authorizer}; undefined: the first one that does. */
  authorizerCalleeRole: string | undefined;
  #rules = new PatternIndex<Permission>();
  /** The same rules as a list, the most specific first; of several for one pattern the last one counts. */
  #ordered: readonly Rule[] = [];
  #otherwise = DENY_ALL;

  constructor(config: RoleConfig) {
    this.name = config.name;
    this.update(config);
  }

  /** Takes other rules in place of all that it has. `Realm.updateRole` does this, and tells those who have to know. */
  update(config: Omit<RoleConfig, 'name'>): void {
    const rules = new Map<string, Rule>();
    const index = new PatternIndex<Permission>();
    for (const written of config.permissions ?? []) {
      const rule = ruleOf(written);
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
   * @throws WampError `wamp.error.not_authorized`
   */
  authorize(action: Action, uri: string): Permission {
    const rule = this.#ruleFor(uri);
    if (!rule[action]) throw notAuthorized(this.name, action, uri);
    return rule;
  }

  /**
   * @returns the rule that allows `action` on every URI that the pattern can match.
   * @throws WampError `wamp.error.not_authorized`
   */
  authorizePattern(action: Action, pattern: Pattern): Permission {
    for (const rule of this.#ordered) {
      if (!intersects(rule, pattern)) continue;
      if (!rule.permission[action]) throw notAuthorized(this.name, action, pattern.uri);
      // Less specific rules decide on none of its URIs.
      if (covers(rule, pattern)) return rule.permission;
    }
    if (!this.#otherwise[action]) throw notAuthorized(this.name, action, pattern.uri);
    return this.#otherwise;
  }

  #ruleFor(uri: string): Permission {
    return this.#rules.exact(uri) ?? this.#rules.bestWildcard(uri) ?? this.#rules.longestPrefix(uri) ?? this.#otherwise;
  }
}

function ruleOf({ uri, match, allow, disclose }: PermissionConfig): Rule {
  const short = match === undefined && uri.endsWith('*');
  return {
    uri: short ? uri.slice(0, -1) : uri,
    match: short ? 'prefix' : (match ?? 'exact'),
    permission: { ...permission(allow, disclose), namesManagement: uri.startsWith(MANAGEMENT) },
  };
}

/** @returns the refusal of what a role may not do. */
export function notAuthorized(role: string, action: Action, uri: string): WampError {
  const text = `role "${role}" is not authorized to ${ACTION_TEXT[action]} ${quoted(uri)}`;
  return new WampError(ErrorUri.NOT_AUTHORIZED, text);
}

function permission(allow: PermissionConfig['allow'], disclose?: PermissionConfig['disclose']): Permission {
  return {
    call: allow?.call === true,
    register: allow?.register === true,
    publish: allow?.publish === true,
    subscribe: allow?.subscribe === true,
    discloseCaller: disclose?.caller === true,
    disclosePublisher: disclose?.publisher === true,
    namesManagement: false,
  };
}
