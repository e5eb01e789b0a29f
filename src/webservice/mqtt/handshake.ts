/** Which handshakes become WebSockets of MQTT (MQTT 3.1.1, section 6). Pure. */
import { refusalOf, shownNames } from '../../transport/websocket/handshake.js';
import type { Refusal } from '../../transport/refusal.js';
import type { RequestHead } from '../../transport/request-head.js';
import type { OriginCheck } from '../../transport/websocket/origin.js';

/** What is agreed. */
export interface MqttAgreement {
  readonly subprotocol: string;
}

/** By the names that the specification, and the libraries before it, have. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];

/** @returns the first subprotocol of the client that is one of MQTT, or why not. */
export function negotiateMqtt(req: RequestHead, allowsOrigin: OriginCheck): MqttAgreement | Refusal {
  const refusal = refusalOf(req, { allowsOrigin });
  if (refusal !== undefined) return refusal;
  const header = req.headers['sec-websocket-protocol'];
  const offered = header === undefined ? [] : header.split(',').map((name) => name.trim());
  const subprotocol = offered.find((name) => SUBPROTOCOLS.includes(name));
  if (subprotocol !== undefined) return { subprotocol };
  return {
    status: 400,
    text: `this server only speaks the WebSocket subprotocols ${SUBPROTOCOLS.join(', ')}`,
    kind: 'subprotocol',
    remedy: offered.some((name) => name.startsWith('wamp.'))
      ? 'let clients of WAMP connect to the path of a "websocket" service'
      : 'let the client name the subprotocol "mqtt"',
    facts: { offered: shownNames(offered) },
  };
}
