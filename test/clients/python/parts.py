"""Components of Python, good and bad."""
import logging
import os
import time

from autobahn.twisted.wamp import ApplicationSession
from twisted.internet.defer import Deferred, inlineCallbacks


class Echo(ApplicationSession):
    """Tells what it has, and fails when it is asked to."""

    @inlineCallbacks
    def onJoin(self, details):
        yield self.register(lambda octets: octets + b"\xff", "com.example.more")
        yield self.register(lambda: object(), "com.example.object")
        yield self.register(lambda: 1 / 0, "com.example.zero")
        yield self.register(lambda: "here", "com.example.here")
        yield self.register(lambda: self.leave("com.example.tired"), "com.example.leave")
        yield self.register(lambda: os._exit(7), "com.example.exit")
        yield self.register(spin, "com.example.spin")
        yield self.subscribe(fail, "com.example.fail")


def fail(*args):
    raise ValueError("the handler failed")


def spin():
    print("spins", flush=True)
    while True:
        pass


class Caller(ApplicationSession):
    """Calls another component, with bytes."""

    @inlineCallbacks
    def onJoin(self, details):
        octets = yield self.call("com.example.more", b"\x00\x01")
        print("got %r of type %s" % (octets, type(octets).__name__))


class Shows(ApplicationSession):
    """Shows what it was given, by every way to the log."""

    def onJoin(self, details):
        print("extra %s" % sorted(self.config.extra.items()))
        print("stage %s, home %s" % (os.environ.get("STAGE"), os.environ.get("HOME")))
        print("who %s %s" % (details.authid, details.authrole))
        import beside

        print("beside %s" % beside.WORD)
        self.log.warn("from Autobahn's logger")
        logging.getLogger("own").error("from Python's logger")


class Endless(ApplicationSession):
    """Its onJoin never ends."""

    def onJoin(self, details):
        return Deferred()


class Flood(ApplicationSession):
    def onJoin(self, details):
        for number in range(30000):
            print("flood %d" % number)


class Greedy(ApplicationSession):
    """Says who it is whatever it may be."""

    def onConnect(self):
        self.join("another_realm", ["ticket"], "joe")


class Leaves(ApplicationSession):
    def onJoin(self, details):
        self.leave()


class BadConstructor(ApplicationSession):
    def __init__(self, config):
        raise ValueError("no database")


class BadJoin(ApplicationSession):
    def onJoin(self, details):
        return self.call("com.example.nobody")


class BadExit(ApplicationSession):
    def onJoin(self, details):
        raise SystemExit(3)


class Plain(object):
    pass


class Sleeps(ApplicationSession):
    """Does not let the event loop go on when it is to leave."""

    def onLeave(self, details):
        time.sleep(1000)
