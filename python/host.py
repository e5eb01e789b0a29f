# -*- coding: utf-8 -*-
"""
Runs the Python components of a worker of crossbar-ts, which starts it: `python3 -u host.py`.

File descriptor 3 is the control channel, 4, 5, ... are the connections of components to the router. This file must be
readable for every Python, also for 2.7, so that an old one can say what is wrong. The rest is in `crossbar_ts_host`.
"""
import json
import os
import sys

MINIMUM = (3, 7)
CONTROL = 3
HERE = os.path.dirname(os.path.abspath(__file__))


def interpreter():
    """Which Python this is, for messages."""
    return "Python %s (%s)" % (".".join(str(part) for part in sys.version_info[:3]), sys.executable)


def give_up(problem):
    """Tells the operator, in one line, why this Python cannot run components."""
    line = json.dumps({"type": "unusable", "problem": problem})
    os.write(CONTROL, (line + "\n").encode("utf-8"))
    sys.exit(1)


def keep_channels():
    """What a component starts gets none of our channels, also with `close_fds=False`."""
    fd = CONTROL
    while True:
        try:
            os.set_inheritable(fd, False)
        except OSError:
            return
        fd += 1


def missing(error):
    """What to do about a package that is not there."""
    package = (getattr(error, "name", None) or "autobahn").split(".")[0]
    return (
        '%s has no package "%s", which components and applications need: install it with `apt install python3-autobahn` or '
        '`pip install "autobahn[twisted]"`, or name another Python in "options.python" of the worker'
        % (interpreter(), package)
    )


def load_host(setup):
    """Imports Autobahn and Twisted: those of this Python, so that no module of an application takes their place."""
    own = setup.get("pythonpath", []) + [setup[key] for key in ("startdir",) if key in setup]
    sys.path.remove(HERE)
    try:
        from crossbar_ts_host import host
    except ImportError:
        sys.path[:0] = own
        from crossbar_ts_host import host
    else:
        sys.path[:0] = own
    return host


def main():
    if sys.version_info < MINIMUM:
        give_up(
            '%s is too old for components and applications, which need 3.7 or later: name another one in "options.python" of the worker'
            % interpreter()
        )
    keep_channels()
    sys.path[:] = [HERE] + [entry for entry in sys.path if entry != HERE]
    # The package may stand where nothing should be written.
    writes_bytecode, sys.dont_write_bytecode = not sys.dont_write_bytecode, True
    from crossbar_ts_host import control

    channel = control.Channel(CONTROL)
    setup = channel.first()
    channel.listen()
    try:
        host = load_host(setup)
    except ImportError as error:
        give_up(missing(error) if error.msg.startswith("No module") else "%s: %s" % (interpreter(), error))
    except Exception as error:  # a package that is broken, or does not fit this Python
        give_up("%s cannot import Autobahn: %s: %s" % (interpreter(), type(error).__name__, error))
    from crossbar_ts_host import components, connections, links, loading, log  # noqa: F401, before bytecode is on again

    sys.dont_write_bytecode = not writes_bytecode
    host.run(channel, setup)


if __name__ == "__main__":
    main()
