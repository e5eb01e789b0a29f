# The web application and the component of wsgi.json. They run in one process, and so share what this module has.
from html import escape
from urllib.parse import parse_qs

from autobahn.twisted.wamp import ApplicationSession
from twisted.internet import reactor
from twisted.internet.threads import blockingCallFromThread
from twisted.web.resource import Resource

guests = []
sessions = []

PAGE = """<!doctype html>
<title>Guestbook</title>
<ul>%s</ul>
<form method="post"><input name="guest" required> <button>Sign</button></form>
"""


class Guestbook(ApplicationSession):
    """Keeps the names, and tells everybody of a new one."""

    async def onJoin(self, details):
        await self.register(self.sign, "com.example.sign")
        sessions.append(self)

    def sign(self, guest):
        guests.append(guest)
        self.publish("com.example.signed", guest)
        return len(guests)


def application(environ, start_response):
    """The page. WSGI applications run in threads, WAMP in the event loop: `blockingCallFromThread` leads there."""
    if environ["REQUEST_METHOD"] == "POST":
        form = parse_qs(environ["wsgi.input"].read(10000).decode())
        for guest in form.get("guest", []):
            blockingCallFromThread(reactor, sessions[0].call, "com.example.sign", guest)
        start_response("303 See Other", [("Location", environ["SCRIPT_NAME"] + "/"), ("Content-Length", "0")])
        return []
    body = (PAGE % "".join("<li>%s</li>" % escape(guest) for guest in guests)).encode()
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]


class Status(Resource):
    """A resource of Twisted runs in the event loop itself."""

    isLeaf = True

    def __init__(self, extra):
        Resource.__init__(self)
        self.title = extra["title"]

    def render_GET(self, request):
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        return ("%s: %d\n" % (self.title, len(guests))).encode()
