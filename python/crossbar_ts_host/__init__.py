"""The Python components of a worker of crossbar-ts, in one process. Needs Autobahn and Twisted; `control` needs nothing."""
