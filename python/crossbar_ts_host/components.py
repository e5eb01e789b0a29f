"""
One component, from its start to its end. Exactly one of `failed` and `left` is told, and nothing after it.

    start -> import, construct -> connection -> joined -> onJoin has ended: ready -> left
"""
import os

import txaio
from autobahn.wamp import types
from twisted.internet import reactor

from crossbar_ts_host import connections, links, loading

TRANSPORT_LOST = "wamp.close.transport_lost"


class Component(object):
    """`tell` sends a message about it to the node; `on_end` is called with it at the end."""

    def __init__(self, name, spec, tell, on_end):
        self._name = name
        self._spec = spec
        self._tell = tell
        self._on_end = on_end
        self._session = None
        self._joined = False
        self._ended = False

    def start(self, cbdir):
        try:
            self._session = loading.create_session(self._spec, cbdir)
            self._watch(self._session)
            if "link" in self._spec:
                links.connect(self._spec["link"], self._session)
            else:
                connections.connect(self._spec, self._session, self.fail)
        except loading.Failed as failed:
            self.fail(failed)
        except Exception as error:
            self.fail(loading.failure_of("connect", error))

    def leave(self):
        """Asks it to leave its realm."""
        if self._session is None or self._ended:
            return
        try:
            if self._session.is_attached():
                self._session.leave()
            else:
                self._disconnect()
        except Exception as error:  # code of the component, for which the others do not wait
            self.fail(loading.failure_of("leave", error))

    def fail(self, failed):
        """It has ended with a failure (`loading.Failed`)."""
        if self._ended:
            return
        self._finish(type="failed", stage=failed.stage, problem=failed.problem, trace=failed.trace)

    def _watch(self, session):
        """Hears of the session before its own methods do, by public names only."""
        on_join, on_leave, on_disconnect = session.onJoin, session.onLeave, session.onDisconnect

        def joined(details):
            self._joined = True
            facts = {"session": details.session, "realm": details.realm}
            facts.update(authid=details.authid, authrole=details.authrole)
            self._tell(type="joined", component=self._name, **facts)
            future = txaio.as_future(on_join, details)
            txaio.add_callbacks(future, lambda _: self._ready(), self._not_ready)

        def left(details):
            # Crossbar.io answers a GOODBYE with this reason, where the specification has another; Autobahn warns of any other.
            if details.reason == "wamp.close.goodbye_and_out":
                details = types.CloseDetails("wamp.close.normal", details.message)
            self._left(details.reason, details.message)
            # Not every class disconnects when it has left.
            reactor.callLater(0, self._disconnect)
            return on_leave(details)

        def disconnected(*args):
            self._left(TRANSPORT_LOST, None)
            return on_disconnect(*args)

        session.onJoin, session.onLeave, session.onDisconnect = joined, left, disconnected

    def _ready(self):
        if not self._ended:
            self._tell(type="ready", component=self._name)

    def _not_ready(self, failure):
        try:
            self.fail(loading.failure_of("onJoin", failure.value))
        except MemoryError:
            os._exit(1)  # Twisted would drop it, and the node would wait
        self._disconnect()

    def _left(self, reason, message):
        if self._ended:
            return
        if self._joined:
            self._finish(type="left", reason=reason, clean=reason != TRANSPORT_LOST)
        else:
            said = "" if not message else ": %s" % message
            self.fail(loading.Failed("join", "the router did not let it in (%s)%s" % (reason, said)))

    def _finish(self, **message):
        self._ended = True
        self._tell(component=self._name, **message)
        self._on_end(self)

    def _disconnect(self):
        if self._session is not None and self._session.is_connected():
            self._session.disconnect()
