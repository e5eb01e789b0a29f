"""
One application of the web: a WSGI application, or a resource of Twisted. The node is told `ready`, or `failed`, and nothing after it.

    start -> import, construct -> it listens on its socket file, where only the node asks: ready -> the end of the process
"""
import os

from twisted.internet import reactor
from twisted.web.resource import IResource

from crossbar_ts_host import loading, web, wsgi

# As many as the system takes. The node connects once for each request that is under way.
BACKLOG = 4096
# For this user alone.
MODE = 0o600


class Application(object):
    """`tell` sends a message about it to the node; `on_end` is called with it at the end."""

    def __init__(self, name, spec, tell, on_end):
        self._name = name
        self._spec = spec
        self._tell = tell
        self._on_end = on_end

    def start(self, cbdir):
        try:
            site = create_site(self._spec)
            try:
                reactor.listenUNIX(self._spec["socket"], site, backlog=BACKLOG, mode=MODE)
            except Exception as error:
                raise loading.failure_of("listen", error)
        except loading.Failed as failed:
            self._tell(
                type="failed",
                component=self._name,
                stage=failed.stage,
                problem=failed.problem,
                trace=failed.trace,
            )
            self._on_end(self)
        else:
            self._tell(type="ready", component=self._name)

    def leave(self):
        """Its requests have had their time: the transports of the node end first."""
        self._on_end(self)


def create_site(spec):
    """Imports the code of an application, and makes it one that can be asked. Raises loading.Failed."""
    if spec["type"] == "wsgi":
        return web.Site(wsgi_application(spec), wsgi.Request)
    return web.Site(resource_of(spec), web.Request)


def wsgi_application(spec):
    name = "%s.%s" % (spec["module"], spec["object"])
    application = loading.load(name)
    if not callable(application):
        raise loading.Failed("import", '"%s" is no WSGI application: it cannot be called' % name)
    threads = wsgi.start_threads(spec["minthreads"], spec["maxthreads"])
    return wsgi.WsgiApplication(application, threads, spec["max_requests"])


def resource_of(spec):
    create = loading.load(spec["classname"])
    try:
        created = create(spec["extra"])
    except BaseException as error:
        raise loading.failure_of("construct", error)
    if not IResource.providedBy(created):
        raise loading.Failed("construct", '"%s" makes no resource of twisted.web' % spec["classname"])
    return created


def remove_place(place):
    """Removes the directory of the socket files. The node does so, too; this is for the case that it cannot."""
    try:
        for name in os.listdir(place):
            os.unlink(os.path.join(place, name))
        os.rmdir(place)
    except OSError:
        pass  # the node has been faster
