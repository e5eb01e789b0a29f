/**
 * What a role may do, and the ERROR where it may not. Each permission knows the rule that it comes from, so that client, log and
 * `crossbar-ts check --explain` can name it; nothing is decided by that.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { quoted } from '../wamp/uri.js';
import type { Match } from '../wamp/uri.js';
import type { Pattern } from './pattern-relations.js';

/** What a rule of a role allows. */
export type Action = 'call' | 'register' | 'publish' | 'subscribe';

/** A rule of the config. */
export interface WrittenRule extends Pattern {
  /** Its place among the `permissions` of the role, counted from 0. */
  readonly index: number;
}

/** What a role may do with the URIs of one rule. */
export interface Permission extends Readonly<Record<Action, boolean>> {
  /** The rule, or what decides instead of one. */
  readonly decidedBy: WrittenRule | 'no rule' | 'allow-by-default' | 'built in' | 'authorizer';
  /** Show the caller to the callee. */
  readonly discloseCaller: boolean;
  /** Show the publisher to the subscribers. */
  readonly disclosePublisher: boolean;
  /** The URI of the rule begins with `crossbar.`: it is about the procedures that manage the node. */
  readonly namesManagement: boolean;
  /** Why nothing is allowed, if no decision was made. */
  readonly failure?: WampError;
}

/** The actions, in the order in which texts name them. */
export const ACTIONS = ['call', 'register', 'publish', 'subscribe'] as const satisfies readonly Action[];

/** An action that was denied. */
export interface Denial {
  readonly action: Action;
  readonly uri: string;
  readonly match: Match;
  /** What decided: a rule, what holds where none matches, or the answer of an authorizer. */
  readonly permission: Permission;
  /** The authorizer of the role. */
  readonly authorizer?: string | undefined;
  /** Why what decided is not enough, although it allows the action. */
  readonly remark?: string | undefined;
}

/** The role of a session, or its authorizer, does not allow what it asks for. It becomes an ERROR as any other WampError. */
export class ActionDenied extends WampError {
  readonly denial: Denial;

  /** @param role of the session. */
  constructor(
    { name, authorizer }: { readonly name: string; readonly authorizer: string | undefined },
    asked: Omit<Denial, 'authorizer'>,
  ) {
    const { action, uri, remark } = asked;
    const text = `role "${name}" is not authorized to ${ACTION_TEXT[action]} ${quoted(uri)}`;
    super(ErrorUri.NOT_AUTHORIZED, remark === undefined ? text : `${text} (${remark})`);
    this.denial = { ...asked, authorizer };
  }
}

const ACTION_TEXT: Record<Action, string> = {
  call: 'call procedure',
  register: 'register procedure',
  publish: 'publish to topic',
  subscribe: 'subscribe to topic',
};

/** @returns what is said where a procedure that manages the node is allowed, but by nothing that names it. */
export function namelessRemark(procedure: string, { decidedBy }: Permission): string {
  const below = procedure.slice(0, procedure.lastIndexOf('.') + 1);
  if (decidedBy === 'authorizer') return `an authorizer is not enough, a rule must name ${below}`;
  const isForAll = typeof decidedBy === 'string' || (decidedBy.match === 'prefix' && decidedBy.uri === '');
  const what = isForAll ? 'a rule for everything' : `the rule ${patternText(decidedBy)}`;
  return `${what} is not enough, name ${below}`;
}

/** @returns a pattern for readers: a prefix with an asterisk at its end, as a config may have it. */
export function patternText({ uri, match }: Pattern): string {
  return `${quoted(match === 'prefix' ? `${uri}*` : uri)} (${match})`;
}

/** @returns what a permission allows and shows: `allows register, publish`. */
export function permissionText(permission: Permission): string {
  const allowed = ACTIONS.filter((action) => permission[action]);
  const shown = permission.discloseCaller ? ['callers'] : [];
  if (permission.disclosePublisher) shown.push('publishers');
  const disclosed = shown.length === 0 ? '' : `, discloses ${shown.join(' and ')}`;
  return `allows ${allowed.length === 0 ? 'nothing' : allowed.join(', ')}${disclosed}`;
}

/** @returns what decided, in words: `"com.shop.*" (prefix) allows register, publish`, or that no rule matches. */
export function deciderText({ permission, authorizer = '' }: Pick<Denial, 'permission' | 'authorizer'>): string {
  const { decidedBy } = permission;
  if (typeof decidedBy !== 'string') return `${patternText(decidedBy)} ${permissionText(permission)}`;
  return decidedBy === 'authorizer' ? `the authorizer ${quoted(authorizer)}` : OTHERWISE[decidedBy];
}

const OTHERWISE = {
  'no rule': 'no rule matches',
  'allow-by-default': '"allow-by-default" allows everything',
  'built in': 'the role is built into every realm, and may do everything',
} as const;
