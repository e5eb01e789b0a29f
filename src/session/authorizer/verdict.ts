/**
 * From the result of an authorizer to a decision. Pure. An authorizer is code of somebody else: an unclear answer counts as
 * none, so that no mistake in it lets anybody in.
 */
import type { Action, Permission } from '../../router/permission.js';
import type { Dict, Payload } from '../../wamp/payload.js';

/** A decision on one request. */
export interface AuthorizerVerdict {
  /** For the action that was asked about, and no other. */
  readonly permission: Permission;
  /** The authorizer allows it to be used again for a while. */
  readonly cache: boolean;
}

/** The result of an authorizer is none; the text is for the log. */
export class AuthorizerFault extends Error {
  readonly code = 'ERR_AUTHORIZER_FAULT';
  override readonly name = 'AuthorizerFault';
}

/**
 * @param payload the result: a boolean, or `{allow, disclose?, cache?}`, where `disclose` is a boolean or
 *   `{caller?, publisher?}`. Null counts as absent, and unknown keys are ignored.
 * @throws AuthorizerFault
 */
export function verdictOf(action: Action, { args, kwargs }: Payload): AuthorizerVerdict {
  if (args.length !== 1 || (kwargs !== undefined && Object.keys(kwargs).length > 0)) {
    throw new AuthorizerFault('the result must be one value');
  }
  const [result] = args;
  if (typeof result === 'boolean') return { permission: permissionFor(action, result, undefined), cache: false };
  if (!isDict(result)) throw new AuthorizerFault('the result must be a boolean or a dictionary');
  if (typeof result.allow !== 'boolean') throw new AuthorizerFault('"allow" must be a boolean');
  // The authorizer allows only what is valid: without the validation that would be too much.
  if (isThere(result.validate)) throw new AuthorizerFault('"validate" is not supported');
  return {
    permission: permissionFor(action, result.allow, result.disclose),
    cache: flag('cache', result.cache),
  };
}

function permissionFor(action: Action, allow: boolean, disclose: unknown): Permission {
  const { caller, publisher } = disclosure(disclose);
  return {
    decidedBy: 'authorizer',
    call: allow && action === 'call',
    register: allow && action === 'register',
    publish: allow && action === 'publish',
    subscribe: allow && action === 'subscribe',
    discloseCaller: caller,
    disclosePublisher: publisher,
    // An authorizer that allows everything does not mean the management of the node.
    namesManagement: false,
  };
}

function disclosure(disclose: unknown): { readonly caller: boolean; readonly publisher: boolean } {
  if (!isDict(disclose)) {
    const both = flag('disclose', disclose);
    return { caller: both, publisher: both };
  }
  return {
    caller: flag('disclose.caller', disclose.caller),
    publisher: flag('disclose.publisher', disclose.publisher),
  };
}

function flag(name: string, value: unknown): boolean {
  if (isThere(value) && typeof value !== 'boolean') throw new AuthorizerFault(`"${name}" must be a boolean`);
  return value === true;
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isDict(value: unknown): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
