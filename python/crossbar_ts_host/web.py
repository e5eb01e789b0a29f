"""
HTTP for the applications of a worker, on socket files where only the node asks. Where the client is and what it asked for, the node says
in a header that no client can send. An application sees the request as though the client had come to it.
"""
import json

from twisted.internet import address
from twisted.web import http, resource, server

# In lower case. The node takes it from clients (`webservice/python/head.ts`).
FACTS = b"crossbar-ts-request"
# About the connection to the node, which is nobody else's business.
OF_THE_CONNECTION = (FACTS, b"connection", b"transfer-encoding", b"expect")
# Sessions of Twisted, as in Crossbar.io: one cookie for all resources of a process.
SESSIONS = {}


class Channel(http.HTTPChannel):
    """A connection of the node, which has limits of its own, and puts a few headers to those that it got."""

    MAX_LENGTH = 65536
    totalHeadersSize = 131072
    maxHeaders = 20000


class Request(server.Request):
    """A request that the node has passed on."""

    mounted = 0
    _secure = False

    def process(self):
        try:
            self._take_facts()
        except (ValueError, KeyError, TypeError):
            # This was not the node.
            self.setResponseCode(400)
            self.finish()
            return
        server.Request.process(self)

    def isSecure(self):
        return self._secure

    def _take_facts(self):
        (text,) = self.requestHeaders.getRawHeaders(FACTS, ())
        facts = json.loads(text.decode("ascii"))
        # An address of the file system has no `host`, for which WSGI asks.
        self.client = internet_address(*facts["client"])
        self.host = internet_address(*facts["host"])
        self._secure = facts["secure"]
        self.mounted = facts["mounted"]
        is_chunked = self.requestHeaders.hasHeader(b"transfer-encoding")
        for name in OF_THE_CONNECTION:
            self.requestHeaders.removeHeader(name)
        if is_chunked:
            # The body is here: an application gets its length in any case.
            length = self.content.seek(0, 2)
            self.content.seek(0)
            self.requestHeaders.setRawHeaders(b"content-length", [b"%d" % length])


class Site(server.Site):
    """One application. The first parts of the path are those that lead to it."""

    noisy = False
    protocol = Channel

    def __init__(self, root, request_class):
        # Who stops in the middle of a request, or waits with the next one, is the business of the node.
        server.Site.__init__(self, root, requestFactory=request_class, timeout=None)
        self.sessions = SESSIONS

    def log(self, request):
        """The node has a log of requests, for those who want one."""

    def getResourceFor(self, request):
        request.site = self
        request.sitepath = []
        for _ in range(request.mounted):
            request.prepath.append(request.postpath.pop(0))
        return resource.getChildForRequest(self.resource, request)


def internet_address(host, port):
    create = address.IPv6Address if ":" in host else address.IPv4Address
    return create("TCP", host, port)
