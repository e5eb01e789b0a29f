/** Every transport that there is keeps the contract. */
import { HAS_OPENSSL } from '../support/certificates.js';
import { transportContract } from '../contract/transport.js';
import { describeNeeds } from '../support/needs.js';
import { localSubject, longPollSubject, rawSocketSubject, webSocketSubject } from '../support/transport-world.js';

transportContract('WebSocket', webSocketSubject());
transportContract('WebSocket, compressed', webSocketSubject({ deflate: true }));
transportContract('WebSocket, MessagePack', webSocketSubject({ serializer: 'msgpack' }));
transportContract('WebSocket, UBJSON', webSocketSubject({ serializer: 'ubjson' }));
transportContract('RawSocket', rawSocketSubject());
transportContract('RawSocket, UBJSON', rawSocketSubject({ serializer: 'ubjson' }));
transportContract('RawSocket on a socket file', rawSocketSubject({ serializer: 'cbor', endpoint: 'unix' }));
transportContract('long-poll', longPollSubject());
transportContract('long-poll, MessagePack in batches', longPollSubject({ serializer: 'msgpack', batched: true }));
transportContract('long-poll, CBOR', longPollSubject({ serializer: 'cbor' }));
transportContract('long-poll, UBJSON in batches', longPollSubject({ serializer: 'ubjson', batched: true }));
transportContract('the transport of components', localSubject);

describeNeeds('the openssl command', HAS_OPENSSL)('over TLS', () => {
  transportContract('WebSocket', webSocketSubject({ endpoint: 'tls' }));
  transportContract('RawSocket', rawSocketSubject({ endpoint: 'tls' }));
});
