"""
The connections of components that find their router by a transport of their config: TCP, TLS and unix sockets, with WAMP over
WebSocket or RawSocket on them. What `auth` of a component says takes the place of what its class does by itself.
"""
import base64
import hashlib
import hmac
import unicodedata

from autobahn.twisted.rawsocket import WampRawSocketClientFactory
from autobahn.twisted.websocket import WampWebSocketClientFactory, WampWebSocketClientProtocol
from autobahn.wamp import auth, serializer
from autobahn.wamp.exception import TransportLost
from twisted.internet import reactor
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionAborted, ConnectionDone, ConnectionLost, DNSLookupError
from twisted.internet.error import ConnectionRefusedError as RefusedError

from crossbar_ts_host import links, loading

# Binary ones are smaller, and keep all values.
PREFERRED = ("cbor", "msgpack", "json")
SERIALIZERS = {
    "cbor": "CBORSerializer",
    "msgpack": "MsgPackSerializer",
    "json": "JsonSerializer",
    "ubjson": "UBJSONSerializer",
}
# A limit that the handshake of a RawSocket can say.
LEAST_LIMIT = 512
GREATEST_LIMIT = 2**24
# Where 0 means that there is no limit.
FOR_EVER = 10**6
# A router that wants more wants to keep us busy.
MOST_ITERATIONS = 10**7


def connect(spec, session, fail):
    """Connects a session; `fail` is called with a `loading.Failed` when that does not work out."""
    transport = spec["transport"]
    where = endpoint_text(transport["endpoint"])

    def lost(problem):
        fail(loading.Failed("connect", "cannot connect to %s: %s" % (where, problem)))

    if spec.get("auth"):
        use_auth(session, spec["realm"], spec["auth"])
    opened = []

    def create():
        # Only after the handshake of the transport is there somebody to speak to.
        opened.append(True)
        return session

    def watch(protocol):
        def closed(_):
            # A handshake that failed tells nobody: the session was never there.
            if not opened:
                lost(protocol.why_closed())

        protocol.is_closed.addCallback(closed)

    attempt = create_endpoint(transport["endpoint"]).connect(create_factory(transport, create))
    attempt.addCallbacks(watch, lambda failure: lost(connect_problem(failure.value)))


def endpoint_text(endpoint):
    if endpoint["type"] == "unix":
        return endpoint["path"]
    return "%s:%d%s" % (endpoint["host"], endpoint["port"], " (TLS)" if "tls" in endpoint else "")


def connect_problem(error):
    """What the system says when there is nobody, in words."""
    if isinstance(error, RefusedError):
        return "connection refused: nobody listens there"
    if isinstance(error, DNSLookupError):
        return "there is no host of this name"
    if isinstance(error, ConnectError) and error.osError is not None:
        return str(error)
    return str(error) or type(error).__name__


def create_endpoint(endpoint):
    timeout = endpoint["timeout"] or FOR_EVER
    if endpoint["type"] == "unix":
        return UNIXClientEndpoint(reactor, endpoint["path"], timeout=timeout)
    host, port = endpoint["host"], endpoint["port"]
    if endpoint.get("version") == 4:
        plain = TCP4ClientEndpoint(reactor, host, port, timeout=timeout)
    else:
        plain = HostnameEndpoint(reactor, host, port, timeout=timeout)
    return wrapClientTLS(tls_options(host, endpoint["tls"]), plain) if "tls" in endpoint else plain


def tls_options(host, config):
    """Whom to trust, and what to show. Raises loading.Failed."""
    try:
        from twisted.internet import ssl
    except ImportError as error:
        raise loading.Failed("connect", "this Python cannot do TLS (%s): install pyOpenSSL and service_identity" % error)
    files = config.get("ca_certificates")
    try:
        trust = None if files is None else ssl.trustRootFromCertificates(certificates(files))
        own = None
        if "certificate" in config:
            own = ssl.PrivateCertificate.fromCertificateAndKeyPair(
                certificates([config["certificate"]])[0], key_pair(config.get("key", config["certificate"]))
            )
        return ssl.optionsForClientTLS(config.get("hostname", host), trustRoot=trust, clientCertificate=own)
    except loading.Failed:
        raise
    except Exception as error:
        raise loading.Failed("connect", "the files of \"tls\" cannot be used: %s: %s" % (type(error).__name__, error))


def certificates(files):
    """All certificates in some files."""
    from twisted.internet import ssl

    end = "-----END CERTIFICATE-----"
    texts = [part + end for name in files for part in read(name).split(end)[:-1]]
    if not texts:
        raise loading.Failed("connect", "there is no certificate in %s" % ", ".join(files))
    return [ssl.Certificate.loadPEM(text) for text in texts]


def key_pair(name):
    from OpenSSL import crypto
    from twisted.internet import ssl

    return ssl.KeyPair.load(read(name).encode("ascii"), crypto.FILETYPE_PEM)


def read(name):
    try:
        with open(name) as file:
            return file.read()
    except (OSError, ValueError) as error:
        raise loading.Failed("connect", "%s cannot be read: %s" % (name, getattr(error, "strerror", None) or error))


def create_factory(transport, create):
    options = transport.get("options", {})
    limit = options.get("max_message_size", GREATEST_LIMIT)
    if transport["type"] == "rawsocket":
        names = [transport.get("serializer") or (transport.get("serializers") or ["cbor"])[0]]
        factory = RawSocketFactory(create, serializer=serializers(names)[0])
        # A power of two, rounded down: no message that is larger than what is configured.
        size = 2 ** (min(max(limit, LEAST_LIMIT), GREATEST_LIMIT).bit_length() - 1)
        factory.setProtocolOptions(maxMessagePayloadSize=size)
        return factory
    found = serializers(transport.get("serializers"))
    factory = WampWebSocketClientFactory(create, url=transport["url"], serializers=found)
    factory.protocol = WebSocketProtocol
    factory.noisy = False
    factory.setProtocolOptions(
        maxMessagePayloadSize=limit,
        openHandshakeTimeout=options.get("open_handshake_timeout", 10000) / 1000.0,
        autoPingInterval=options.get("auto_ping_interval", 0) / 1000.0,
        autoPingTimeout=options.get("auto_ping_timeout", 0) / 1000.0,
    )
    return factory


def serializers(names):
    """Those of these names; without names, all that this Autobahn has packages for. Raises loading.Failed."""
    found = [getattr(serializer, SERIALIZERS.get(name, ""), None) for name in names or PREFERRED]
    usable = [create() for create in found if create is not None]
    if usable:
        return usable
    raise loading.Failed("connect", "this Python has no package for the serializer %s" % ", ".join(names))


class RawSocketProtocol(links.LinkProtocol):
    _refused = None

    def dataReceived(self, data):
        try:
            links.LinkProtocol.dataReceived(self, data)
        except TransportLost:
            # Autobahn wants to end what has not begun.
            self._refused = "the server does not speak RawSocket, or not with this serializer"
            self.transport.abortConnection()

    def connectionLost(self, reason):
        self._refused = self._refused or lost_problem(reason.value, "RawSocket")
        links.LinkProtocol.connectionLost(self, reason)

    def why_closed(self):
        return self._refused


class RawSocketFactory(WampRawSocketClientFactory):
    protocol = RawSocketProtocol
    noisy = False


class WebSocketProtocol(WampWebSocketClientProtocol):
    _lost = None

    def send(self, msg):
        WampWebSocketClientProtocol.send(self, links.answerable(msg))

    def connectionLost(self, reason):
        self._lost = reason.value
        WampWebSocketClientProtocol.connectionLost(self, reason)

    def why_closed(self):
        # A failed TLS handshake says more of itself than what it means for the WebSocket.
        plain = self._lost is None or isinstance(self._lost, (ConnectionAborted, ConnectionDone, ConnectionLost))
        if plain and self.wasNotCleanReason:
            return self.wasNotCleanReason
        return lost_problem(self._lost, "WebSocket")


def lost_problem(error, handshake):
    """Why a connection was lost before the handshake on it was done."""
    reasons = error.args[0] if type(error).__name__ == "Error" and error.args else None
    if isinstance(reasons, (list, tuple)):
        return "TLS: %s" % ("; ".join(str(reason[-1]) for reason in reasons) or "the handshake failed")
    if isinstance(error, ConnectionDone):
        return "the server closed the connection during the %s handshake" % handshake
    return str(error)


class Scram(auth.AuthScram):
    """SCRAM, which hashes with PBKDF2, too: that of Autobahn cannot do so, and wants Argon2 even where nobody asks for it."""

    def __init__(self, **options):
        self._args = options
        self._client_nonce = None
        self._salted_password = None

    def on_challenge(self, session, challenge):
        kdf = challenge.extra.get("kdf")
        if kdf != "pbkdf2":
            if not auth.HAS_ARGON:
                raise RuntimeError("the router hashes with %s: install argon2-cffi and passlib" % kdf)
            return auth.AuthScram.on_challenge(self, session, challenge)
        nonce, salt, iterations = (challenge.extra[key] for key in ("nonce", "salt", "iterations"))
        password = self._args["password"].encode("utf-8")
        rounds = min(int(iterations), MOST_ITERATIONS)
        self._salted_password = hashlib.pbkdf2_hmac("sha256", password, base64.b64decode(salt), rounds, 32)
        name = unicodedata.normalize("NFKC", self._args["authid"])
        text = "n=%s,r=%s,r=%s,s=%s,i=%d,c=,r=%s" % (name, self._client_nonce, nonce, salt, iterations, nonce)
        self._auth_message = text.encode("utf-8")
        client_key = hmac.new(self._salted_password, b"Client Key", hashlib.sha256).digest()
        stored_key = hashlib.sha256(client_key).digest()
        signature = hmac.new(stored_key, self._auth_message, hashlib.sha256).digest()
        return base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature))).decode("ascii")


def create_proof(name, options):
    return Scram(**options) if name == "scram" else auth.create_authenticator(name, **dict(options))


def use_auth(session, realm, config):
    """Lets a session offer these methods, in this order, whatever its class does. Raises loading.Failed."""
    proofs = {}
    for name, options in config.items():
        try:
            proofs[name] = create_proof(name, options)
        except Exception as error:
            raise loading.Failed("connect", "auth.%s: %s" % (name, error))
    authids = sorted({options["authid"] for options in config.values() if "authid" in options})
    if len(authids) > 1:
        raise loading.Failed("connect", 'the methods in "auth" have different authids: %s' % ", ".join(authids))
    extra = {}
    for proof in proofs.values():
        extra.update(proof.authextra or {})

    def welcome(message):
        proof = proofs.get(message.authmethod)
        # The method that a cookie or another provider names is not one of ours.
        return None if proof is None else proof.on_welcome(session, message.authextra or {})

    session.onConnect = lambda: session.join(
        realm,
        authmethods=list(proofs),
        authid=authids[0] if authids else None,
        authextra=extra or None,
    )
    session.onChallenge = lambda challenge: proofs[challenge.method].on_challenge(session, challenge)
    session.onWelcome = welcome
