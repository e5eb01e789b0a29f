/**
 * Why a role may do something, or may not: the rule that decides, with its place in the file. The router itself decides
 * (`router/authorize.ts` `decide`); this file finds the place, and words for what is not a rule.
 */
import { decide } from '../../router/authorize.js';
import type { AskedAction, Decision } from '../../router/authorize.js';
import { Deciders, decidersOf } from '../../router/deciders.js';
import { covers } from '../../router/pattern-relations.js';
import { matches } from '../../router/pattern-index.js';
import { ACTIONS, ActionDenied, deciderText } from '../../router/permission.js';
import type { Permission } from '../../router/permission.js';
import { Role } from '../../router/role.js';
import { isReservedUri, quoted } from '../../wamp/uri.js';
import type { CheckedConfig } from '../check.js';
import type { ConfigProblem } from '../error.js';
import { MANAGING } from '../rules/exposure.js';
import type { Path } from '../source/source.js';
import { nearRule } from './near.js';
import { targetsOf } from './targets.js';
import type { Names, Target } from './targets.js';

/** What is asked. */
export type Asked = AskedAction;

/** The actions that can be asked about. */
export const ASKED_ACTIONS: readonly AskedAction['action'][] = ACTIONS;

/** Where the config is, and where its values stand. */
export type ExplainedConfig = Pick<CheckedConfig, 'config' | 'authenticators' | 'problemAt'>;

/** A sentence of an answer. */
export interface Reason {
  readonly text: string;
  /** The place that it is about; undefined where it is about none. */
  readonly place: ConfigProblem | undefined;
}

/** The answer for one role of one realm of one worker. */
export interface Answer {
  /** `unknown`: an authorizer decides, so nobody knows. */
  readonly verdict: 'allowed' | 'denied' | 'unknown';
  readonly realm: string;
  readonly role: string;
  readonly worker: string;
  /** What decides comes first; none where the ERROR says it all. */
  readonly reasons: readonly Reason[];
  /** The ERROR that the client gets; undefined unless it is denied. */
  readonly error: { readonly uri: string; readonly text: string } | undefined;
}

/** @returns an answer for each worker that has the realm and the role, at least one; or in words what is wrong with the question. */
export function explain(config: ExplainedConfig, names: Names, asked: AskedAction): readonly Answer[] | string {
  const targets = targetsOf(config, names);
  return typeof targets === 'string'
    ? targets
    : targets.map((target) => new Explanation(config, target, asked).answer());
}

/** An answer in the making. */
class Explanation {
  readonly #config: ExplainedConfig;
  readonly #target: Target;
  readonly #asked: AskedAction;
  /** The procedures that decide about others. */
  readonly #deciders: ReturnType<typeof decidersOf>;
  readonly #reasons: Reason[] = [];

  constructor(config: ExplainedConfig, target: Target, asked: AskedAction) {
    this.#config = config;
    this.#target = target;
    this.#asked = asked;
    const { realm, workerIndex } = target;
    const roles = realm.roles.map((role) => new Role(role));
    this.#deciders = decidersOf(realm.name, roles, config.authenticators[workerIndex]);
  }

  answer(): Answer {
    const { role, realm, worker } = this.#target;
    const decision = this.#decide();
    const { error } = decision;
    const names = { realm: realm.name, role: role.name, worker };
    if (error !== undefined) this.#sayDenied(decision, error);
    else if (role.authorizer === undefined) this.#sayAllowed(decision);
    else this.#sayAuthorizer(role.authorizer);
    this.#sayRest(error === undefined);
    const heard = error && { uri: error.uri, text: error.message };
    const open = role.authorizer === undefined ? 'allowed' : 'unknown';
    return { ...names, verdict: error === undefined ? open : 'denied', reasons: this.#reasons, error: heard };
  }

  #decide(): Decision {
    const { role, realm } = this.#target;
    const deciders = new Deciders(this.#deciders);
    return decide(role, this.#asked, {
      uriRule: realm.options?.uri_check ?? 'loose',
      isManaged: (procedure) => MANAGING.includes(procedure),
      checkRegistration: ({ name: authrole }, asked) => deciders.check({ authrole }, asked),
    });
  }

  #sayAllowed({ asked }: Decision): void {
    for (const permission of asked) this.#sayPermission(permission);
  }

  #sayDenied({ asked }: Decision, error: NonNullable<Decision['error']>): void {
    // Whatever the rules are: the ERROR says why.
    if (!(error instanceof ActionDenied)) return;
    const { permission, remark } = error.denial;
    if (remark !== undefined) return this.#sayPermission(permission, remark);
    if (permission.decidedBy === 'no rule') return this.#sayNoRule(asked.slice(0, -1));
    const { decidedBy } = permission;
    const isPart = typeof decidedBy !== 'string' && !covers(decidedBy, this.#asked);
    this.#sayPermission(permission, isPart ? 'it matches a part of the pattern' : undefined);
    this.#sayHidden();
  }

  /** @param parts the rules that match a part of a pattern, and allow the action there. */
  #sayNoRule(parts: readonly Permission[]): void {
    const { role } = this.#target;
    const { action, uri, match } = this.#asked;
    if (role.rules.length === 0) return this.#say('no rule matches: the role has none', this.#target.rolePath);
    this.#say(parts.length === 0 ? 'no rule matches' : 'no rule matches the whole pattern');
    for (const permission of parts) this.#sayPermission(permission, 'it matches a part of the pattern');
    const near = match === 'exact' ? nearRule(role.rules, action, uri) : undefined;
    if (near !== undefined) this.#sayPermission(near.rule.permission, `nearly, but ${near.why}`);
  }

  /** A rule that would allow it, if no rule were more specific. */
  #sayHidden(): void {
    const { action, uri, match } = this.#asked;
    if (match !== 'exact') return;
    const hidden = this.#target.role.rules.find(
      (rule) => rule.permission[action] && matches(rule.match, rule.uri, uri),
    );
    const remark = 'it matches, too, but the more specific rule decides';
    if (hidden !== undefined) this.#sayPermission(hidden.permission, remark);
  }

  #sayAuthorizer(procedure: string): void {
    const text = `the authorizer ${quoted(procedure)} decides on each request while the node runs, and says what is disclosed and cached`;
    this.#say(text, this.#below('authorizer'));
  }

  /** What else keeps the client from what is allowed, or may. */
  #sayRest(isAllowed: boolean): void {
    const { realm, realmPath, isDisabled, workerIndex } = this.#target;
    const { action, uri, match } = this.#asked;
    const asksMeta = isReservedUri(uri) && (action === 'call' || action === 'subscribe');
    if (isAllowed && asksMeta && realm.options?.enable_meta_api === false) {
      this.#say('the realm has no meta API, so nobody answers', [...realmPath, 'options', 'enable_meta_api']);
    }
    const isFirst = this.#deciders.some(({ procedure, role }) => procedure === uri && role === undefined);
    if (isAllowed && action === 'register' && match === 'exact' && isFirst) {
      this.#say('it decides about others: it belongs to the first role that registers it');
    }
    if (isDisabled) this.#say('the worker is switched off', ['workers', String(workerIndex), 'options', 'disabled']);
  }

  #sayPermission(permission: Permission, remark?: string): void {
    const { decidedBy } = permission;
    const text = deciderText({ permission, authorizer: this.#target.role.authorizer });
    this.#say(remark === undefined ? text : `${text}: ${remark}`, this.#placeOf(decidedBy));
  }

  #placeOf(decidedBy: Permission['decidedBy']): Path | undefined {
    if (typeof decidedBy !== 'string') return this.#below('permissions', String(decidedBy.index), 'uri');
    if (decidedBy === 'authorizer') return this.#below('authorizer');
    return decidedBy === 'allow-by-default' ? this.#below('allow-by-default') : undefined;
  }

  #below(...keys: readonly string[]): Path | undefined {
    const { rolePath } = this.#target;
    return rolePath && [...rolePath, ...keys];
  }

  #say(text: string, path?: Path): void {
    this.#reasons.push({ text, place: path && this.#config.problemAt(path, text) });
  }
}
