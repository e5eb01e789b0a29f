"""
WSGI applications. Twisted calls them, in threads; here is what it leaves out: a limit to what waits for slow clients, one to what waits
for a thread, and the log of what they write to their errors.
"""
import threading

from twisted.internet import interfaces, reactor
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool
from twisted.web.resource import Resource
from twisted.web.wsgi import WSGIResource
from zope.interface import implementer

from crossbar_ts_host import web

# Unsent bytes of one answer, and of all together, from which on an application waits with the next part.
MOST_UNSENT = 2**20
MOST_UNSENT_OF_ALL = 2**26
BUSY = b"Too many requests are under way.\n"


@implementer(interfaces.IPushProducer)
class Pace(object):
    """Lets an application go on no faster than its client reads: Twisted keeps what is not sent, without a limit."""

    _lock = threading.Lock()
    _unsent_of_all = 0

    def __init__(self):
        self._sent = threading.Event()
        self._sent.set()
        self._unsent = 0
        self._when_sent = None
        self.gone = False

    def pauseProducing(self):
        self._sent.clear()

    def resumeProducing(self):
        with Pace._lock:
            Pace._unsent_of_all -= self._unsent
            self._unsent = 0
            self._sent.set()
        when_sent, self._when_sent = self._when_sent, None
        if when_sent is not None and not self.gone:
            when_sent()

    def stopProducing(self):
        """The client is gone, and nobody is waited for any more."""
        self.gone = True
        self.resumeProducing()

    def wrote(self, length):
        """The thread of the application has written so many bytes."""
        with Pace._lock:
            if self._sent.is_set():
                return
            self._unsent += length
            Pace._unsent_of_all += length
            goes_on = self._unsent <= MOST_UNSENT and Pace._unsent_of_all <= MOST_UNSENT_OF_ALL
        if not goes_on:
            self._sent.wait()

    def when_sent(self, call):
        """Calls at once, or when all that was written is sent; never when the client is gone."""
        if self._sent.is_set():
            call()
        else:
            self._when_sent = call


class Request(web.Request):
    """The body is for the application alone: Twisted would take forms apart first, and keep all that is in them."""

    pace = None

    def requestReceived(self, command, path, version):
        self.content.seek(0)
        self.args = {}
        self.method, self.uri, self.clientproto = command, path, version
        self.path = path.partition(b"?")[0]
        self.process()

    def finish(self):
        if self.pace is None:
            web.Request.finish(self)
        else:
            # What is unsent is counted until it has left. The thread of the application is free.
            self.pace.when_sent(self._finish_paced)

    def _finish_paced(self):
        self.unregisterProducer()
        web.Request.finish(self)


class Errors(object):
    """`wsgi.errors`: lines for the log."""

    _log = Logger(namespace="wsgi")

    def write(self, text):
        for line in text.splitlines():
            if line.strip():
                self._log.error("{line}", line=line)

    def writelines(self, lines):
        self.write("".join(lines))

    def flush(self):
        """Nothing waits."""


class WsgiApplication(Resource):
    """All paths below one application. `most` requests are under way in it at once, those counted whose client is gone."""

    isLeaf = True

    def __init__(self, application, threads, most):
        Resource.__init__(self)
        self._application = application
        self._threads = threads
        self._most = most
        self._lock = threading.Lock()
        self._under_way = 0

    def render(self, request):
        with self._lock:
            if self._under_way >= self._most:
                request.setResponseCode(503)
                request.setHeader(b"retry-after", b"5")
                request.setHeader(b"content-type", b"text/plain")
                return BUSY
            self._under_way += 1
        request.pace = Pace()
        request.notifyFinish().addErrback(lambda _: request.pace.stopProducing())
        request.registerProducer(request.pace, True)

        def paced(environ, start_response):
            return self._run(request.pace, environ, start_response)

        return WSGIResource(reactor, self._threads, paced).render(request)

    def _run(self, pace, environ, start_response):
        """What Twisted iterates over in a thread."""
        result = None
        try:
            if pace.gone:
                # It has waited for a thread too long, and nobody gets the answer.
                start_response("503 Service Unavailable", [])
                return
            environ["wsgi.errors"] = Errors()
            result = self._application(environ, paced_start(start_response, pace))
            for part in result:
                yield part
                pace.wrote(len(part))
        finally:
            with self._lock:
                self._under_way -= 1
            if hasattr(result, "close"):
                result.close()


def paced_start(start_response, pace):
    def start(*args, **kwargs):
        write = start_response(*args, **kwargs)

        def paced_write(data):
            write(data)
            pace.wrote(len(data))

        return paced_write

    return start


def daemon_thread(*args, **kwargs):
    """A thread that keeps no process from its end, whatever an application waits for."""
    return threading.Thread(*args, daemon=True, **kwargs)


def start_threads(least, most):
    threads = ThreadPool(least, most, name="wsgi")
    threads.threadFactory = daemon_thread
    threads.start()
    return threads
