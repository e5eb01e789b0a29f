/** What an event says of its publication besides the payload: who published, where the config discloses it, and what is passed on. */
import { ErrorUri, ProtocolViolation, WampError } from '../../wamp/error.js';
import { NO_DETAILS } from '../../wamp/message.js';
import { PASSTHRU_FEATURE, isPassthru, passthrough } from '../passthru.js';
import { traceIn } from '../../wamp/trace.js';
import type { PublishOptions } from '../../wamp/message.js';
import type { Dict } from '../../wamp/payload.js';
import type { Permission } from '../permission.js';
import type { RouterSession } from '../session.js';

/**
 * @param options of the PUBLISH
 * @returns EVENT.Details, but for the topic, which only patterns need.
 * @throws ProtocolViolation when the publisher uses what it did not announce (section "Payload Passthru Mode").
 * @throws WampError when it wants to be disclosed and may not.
 */
export function eventDetails(
  session: RouterSession,
  permission: Permission,
  options: PublishOptions,
  ignoreDiscloseMe: boolean,
): Dict {
  if (isPassthru(options) && !session.announced('publisher', PASSTHRU_FEATURE)) {
    throw new ProtocolViolation(`the publisher uses ${PASSTHRU_FEATURE}, which it did not announce`);
  }
  const mustDisclose = options.disclose_me === true && !ignoreDiscloseMe;
  const disclosed = publisherDetails(session, permission, mustDisclose);
  const attributes = passthrough(options);
  const trace = traceIn(options);
  if (attributes === undefined && trace === undefined) return disclosed;
  return { ...disclosed, ...attributes, ...trace };
}

/** @returns who published, for EVENT.Details, if the config discloses it. @throws WampError when `mustDisclose` and it does not. */
function publisherDetails(session: RouterSession, permission: Permission, mustDisclose: boolean): Dict {
  if (permission.disclosePublisher) {
    return { publisher: session.id, publisher_authid: session.authid, publisher_authrole: session.authrole };
  }
  if (mustDisclose) {
    throw new WampError(
      ErrorUri.OPTION_DISALLOWED_DISCLOSE_ME,
      `role "${session.authrole}" may not disclose its publishers`,
    );
  }
  return NO_DETAILS;
}
