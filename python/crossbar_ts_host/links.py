"""
The connections of components to the router that they belong to: sockets that the node has handed down, on which WAMP over
RawSocket is spoken. What a component answers and nobody can serialize becomes an error for the caller.
"""
import os
import socket

from autobahn.exception import PayloadExceededError
from autobahn.twisted.rawsocket import WampRawSocketClientFactory, WampRawSocketClientProtocol
from autobahn.wamp import message, serializer, types
from autobahn.wamp.exception import Error, SerializationError
from twisted.internet import reactor


def choose_serializer():
    """The one that costs least, of those that this Autobahn has packages for. All but JSON keep bytes as they are."""
    for name in ("CBORSerializer", "MsgPackSerializer"):
        found = getattr(serializer, name, None)
        if found is not None:
            return found()
    return serializer.JsonSerializer()


class LinkProtocol(WampRawSocketClientProtocol):
    """RawSocket, with an answer for every call."""

    def send(self, msg):
        try:
            WampRawSocketClientProtocol.send(self, answerable(msg))
        except (Error, PayloadExceededError):
            raise
        except Exception as error:
            # Autobahn has an answer for this one only; after any other the caller would wait for ever.
            raise SerializationError("%s: %s" % (type(error).__name__, error))


class LinkFactory(WampRawSocketClientFactory):
    protocol = LinkProtocol
    noisy = False


def connect(fd, session):
    """Connects a session by a socket that is open."""
    factory = LinkFactory(lambda: session, serializer=choose_serializer())
    reactor.adoptStreamConnection(fd, socket.AF_UNIX, factory)
    # Twisted has a duplicate.
    os.close(fd)


def answerable(msg):
    """What an authenticator of Crossbar.io may return never left its process: here it does, as what it means."""
    if isinstance(msg, message.Yield) and msg.args and len(msg.args) == 1:
        result = msg.args[0]
        if isinstance(result, getattr(types, "Deny", ())):
            return message.Error(message.Invocation.MESSAGE_TYPE, msg.request, result.reason, args=[result.message])
        if isinstance(result, getattr(types, "Accept", ())):
            facts = {"realm": result.realm, "authid": result.authid, "role": result.authrole, "extra": result.authextra}
            msg.args = [{key: value for key, value in facts.items() if value is not None}]
    return msg
