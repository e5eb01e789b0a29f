/**
 * A client of RawSocket says how large a frame it takes, and never gets a larger one. An EVENT or a progressive result that does not
 * fit is dropped; a client that waits for an answer gets `wamp.error.payload_size_exceeded` instead of it.
 */
import { WampError } from '../../wamp/error.js';
import { ABORT, ERROR, EVENT, GOODBYE, INVOCATION, NO_DETAILS, RESULT } from '../../wamp/message.js';
import { payloadOf } from '../../wamp/payload.js';
import { refusalOf, substituteFor } from '../../session/undeliverable.js';
import type { RouterMessage } from '../../wamp/message.js';
import type { WampConnection } from '../connection.js';
import type { TransportHost } from '../transport-host.js';

type Told = Pick<WampConnection, 'close' | 'later' | 'peer' | 'sessionId' | 'substitute'>;
type Telling = Pick<TransportHost, 'repeated'>;

/** Says what can be said instead of a message: see `Wire.notSent`. */
export function sayInstead(connection: Told, host: Telling, message: RouterMessage, error: unknown): void {
  if (!(error instanceof WampError)) return connection.later((session) => session.fail(error));
  switch (message.type) {
    case EVENT:
      return drop(connection, host, message.type, error);
    case RESULT: {
      const answer = substituteFor(message, error);
      return answer === undefined ? drop(connection, host, message.type, error) : connection.substitute(answer);
    }
    case ERROR: {
      const { uri, args } = error;
      return connection.substitute({ ...message, details: NO_DETAILS, error: uri, payload: payloadOf(args) });
    }
    case INVOCATION: {
      // The callee cannot be asked, so the call fails, as if the callee had said so.
      const answer = refusalOf(message, error);
      return connection.later((session) => session.receive(answer));
    }
    default:
      host.repeated.say('info', undelivered(connection, message.type, error), 'message not sent');
      // Nothing can take the place of a farewell.
      if (message.type === ABORT || message.type === GOODBYE) {
        connection.later(() => connection.close('goodbye', error.message));
      } else connection.later((session) => session.abort(error.uri, error.message, 'denied'));
  }
}

/** A client that subscribes to much can cause it with each publication. */
function drop(connection: Told, host: Telling, messageType: number, error: WampError): void {
  host.repeated.say('warn', undelivered(connection, messageType, error), 'message dropped');
}

function undelivered(
  { peer, sessionId }: Told,
  messageType: number,
  error: WampError,
): Readonly<Record<string, unknown>> {
  return { peer, sessionId, messageType, reason: error.message };
}
