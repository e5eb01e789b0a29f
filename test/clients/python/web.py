"""Web applications, good and bad, and resources."""
import json
import os
import threading
import time

from autobahn.twisted.wamp import ApplicationSession
from twisted.internet import reactor
from twisted.internet.threads import blockingCallFromThread
from twisted.web.resource import Resource

sessions = []
lock = threading.Lock()
# How many requests of /together are waiting for the others.
waiting = threading.Barrier(10)
# A request of /hold goes on when somebody asks for /release.
released = threading.Event()


class Adder(ApplicationSession):
    """A component in the process of the applications."""

    async def onJoin(self, details):
        await self.register(lambda a, b: a + b, "com.example.add")
        sessions.append(self)


def plain(start_response, body, status="200 OK", headers=()):
    body = body if isinstance(body, bytes) else body.encode()
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))] + list(headers))
    return [body]


def env(environ, start_response):
    shown = {key: value for key, value in environ.items() if isinstance(value, str)}
    return plain(start_response, json.dumps(shown))


def echo(environ, start_response):
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
    return plain(start_response, body, headers=[("X-Length", environ["CONTENT_LENGTH"])])


def form(environ, start_response):
    """What Twisted would take apart."""
    return plain(start_response, environ["wsgi.input"].read())


def stream(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"first\n"
    released.wait()
    yield b"last\n"


def release(environ, start_response):
    released.set()
    return plain(start_response, "released")


def large(environ, start_response):
    """More than a socket takes at once, and less than a thread waits for."""
    return plain(start_response, b"x" * 900000)


def much(environ, start_response):
    """More than anybody may keep: 400 MiB, and how far it has come."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    for part in range(400):
        progress["parts"] = part + 1
        yield b"x" * 2**20


progress = {"parts": 0, "closed": 0}


class Endless(object):
    """Parts without an end, until somebody closes it."""

    def __iter__(self):
        return self

    def __next__(self):
        return b"x" * 1000

    def close(self):
        progress["closed"] += 1
        print("closed %d" % progress["closed"], flush=True)


def endless(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Endless()


def state(environ, start_response):
    shown = dict(progress, threads=threading.active_count(), fds=len(os.listdir("/proc/self/fd")))
    with open("/proc/self/status") as status:
        shown["kb"] = int(next(line for line in status if line.startswith("VmHWM")).split()[1])
    return plain(start_response, json.dumps(shown))


def together(environ, start_response):
    waiting.wait(60)
    return plain(start_response, "together")


def sleep(environ, start_response):
    time.sleep(600)
    return plain(start_response, "late")


def fail(environ, start_response):
    raise ValueError("it {failed}")


def cut(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"half"
    raise ValueError("in the middle")


def cookies(environ, start_response):
    return plain(start_response, "", headers=[("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2")])


def errors(environ, start_response):
    environ["wsgi.errors"].write("told {to} the log\nand more\n")
    environ["wsgi.errors"].flush()
    return plain(start_response, "")


def add(environ, start_response):
    return plain(start_response, str(blockingCallFromThread(reactor, sessions[0].call, "com.example.add", 2, 3)))


def write(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"written ")
    return [b"and returned"]


PAGES = (env, echo, form, stream, release, large, much, endless, state, together, sleep, fail, cut, cookies, errors, add, write)
BY_NAME = {page.__name__: page for page in PAGES}


def application(environ, start_response):
    page = BY_NAME.get(environ["PATH_INFO"].strip("/"))
    return plain(start_response, "hello") if page is None else page(environ, start_response)


NOTHING_TO_CALL = 42


class Node(Resource):
    """A resource with children as deep as one likes."""

    def __init__(self, extra):
        Resource.__init__(self)
        self.extra = extra

    def getChild(self, name, request):
        return Node(self.extra)

    def render_GET(self, request):
        shown = {
            "extra": self.extra,
            "prepath": [part.decode() for part in request.prepath],
            "postpath": [part.decode() for part in request.postpath],
            "url": request.prePathURL().decode(),
            "client": request.getClientAddress().host,
            "args": sorted(name.decode() for name in request.args),
            "secure": request.isSecure(),
        }
        request.setHeader(b"content-type", b"application/json")
        return json.dumps(shown).encode()

    def render_POST(self, request):
        return b",".join(sorted(request.args))


class BadResource(Resource):
    def __init__(self, extra):
        raise ValueError("no database")


class NoResource(object):
    def __init__(self, extra):
        """Nothing of the web."""
