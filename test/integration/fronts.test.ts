/** Transports behind a front keep the contract of all transports. */
import { transportContract } from '../contract/transport.js';
import { rawSocketSubject, webSocketSubject } from '../support/transport-world.js';

transportContract('WebSocket behind a front', webSocketSubject({ behindFront: true }));
transportContract('WebSocket behind a front, compressed', webSocketSubject({ behindFront: true, deflate: true }));
transportContract(
  'WebSocket behind a front, MessagePack',
  webSocketSubject({ behindFront: true, serializer: 'msgpack' }),
);
transportContract('RawSocket behind a front', rawSocketSubject({ behindFront: true }));
transportContract('RawSocket behind a front, UBJSON', rawSocketSubject({ behindFront: true, serializer: 'ubjson' }));
