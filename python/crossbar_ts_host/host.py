"""The process: its components and applications, what the node wants of it, and its end."""
import os
import platform
import signal
import sys

import autobahn
import twisted
from twisted.internet import reactor
from twisted.logger import Logger

from crossbar_ts_host import log
from crossbar_ts_host.components import Component

# How long the components have to leave.
STOP_SECONDS = 2
# What answers requests, and joins no realm.
APPLICATIONS = ("wsgi", "resource")


class Host(object):
    def __init__(self, channel, cbdir):
        self._channel = channel
        self._cbdir = cbdir
        self._running = []
        self._places = set()
        self.stopping = False
        self._finished = False

    def receive(self, message):
        """Does what the node wants; the end of its channel is the end of the node."""
        if message is None or message["type"] == "stop":
            self.stop()
        elif message["type"] == "level":
            log.set_level(message["loglevel"])
        elif message["type"] == "start" and not self.stopping:
            kind = self._kind_of(message["spec"])
            component = kind(message["component"], message["spec"], self._channel.tell, self._on_end)
            self._running.append(component)
            component.start(self._cbdir)

    def remove_places(self):
        """Removes the socket files. Also when a component keeps the process from its end."""
        for place in self._places:
            load_applications().remove_place(place)

    def _kind_of(self, spec):
        if spec["type"] not in APPLICATIONS:
            return Component
        self._places.add(os.path.dirname(spec["socket"]))
        return load_applications().Application

    def stop(self):
        if self.stopping:
            return
        self.stopping = True
        reactor.callLater(STOP_SECONDS, self._finish)
        for component in list(self._running):
            component.leave()
        self._finish_if_alone()

    def _on_end(self, component):
        self._running.remove(component)
        self._finish_if_alone()

    def _finish_if_alone(self):
        if self.stopping and not self._running:
            # After what is being sent.
            reactor.callLater(0, self._finish)

    def _finish(self):
        # Once: several may end at the same time, and time may be over, too.
        if reactor.running and not self._finished:
            self._finished = True
            reactor.stop()


def load_applications():
    """HTTP costs a worker without applications nothing."""
    # The package may stand where nothing should be written.
    writes_bytecode, sys.dont_write_bytecode = not sys.dont_write_bytecode, True
    from crossbar_ts_host import applications

    sys.dont_write_bytecode = not writes_bytecode
    return applications


def run(channel, setup):
    """Runs until the node, or a component, ends it."""
    # A Ctrl-C at a terminal is the node's business. Twisted leaves the signal alone when somebody else has it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log.start(channel, setup.get("loglevel", "info"))
    host = Host(channel, setup["cbdir"])
    versions = {"python": platform.python_version(), "autobahn": autobahn.__version__, "twisted": twisted.__version__}
    channel.tell(type="hello", versions=versions)
    reactor.callWhenRunning(
        channel.deliver_to, lambda message: reactor.callFromThread(host.receive, message)
    )
    channel.at_exit(host.remove_places)
    reactor.run()
    host.remove_places()
    if not host.stopping:
        Logger("crossbar_ts_host").error("the event loop was stopped by a component or a signal, and all components end")
        sys.exit(1)
