"""
The loggers of Twisted, txaio and Python lead to the log of the node: with their level, their name and their traceback. What is
printed goes there by itself, line by line.
"""
import logging
import re

import txaio
from twisted.logger import formatEvent, globalLogBeginner

# The word of Twisted or Python -> the word of the node. Twisted calls every failure critical, also one that was handled.
LEVELS = {"critical": "error", "error": "error", "warn": "warn", "warning": "warn", "info": "info", "debug": "debug"}
RANKS = {"silent": 0, "none": 0, "error": 1, "warn": 2, "info": 3, "debug": 4, "trace": 5}
PYTHON_LEVELS = {0: logging.CRITICAL + 1, 1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO}


# What Twisted says of the socket files of applications: the node tells of them itself.
OUR_PLACES = re.compile(r"( starting on '|^\(UNIX Port ).*/crossbar-ts-web-")


class TwistedObserver(object):
    def __init__(self, channel):
        self._channel = channel
        self.rank = RANKS["info"]

    def __call__(self, event):
        level = LEVELS.get(getattr(event.get("log_level"), "name", "info"), "debug")
        if RANKS[level] > self.rank:
            return
        failure = event.get("log_failure")
        text, trace = without_traceback(formatEvent(event) or "")
        if event.get("log_namespace") == "log_legacy" and OUR_PLACES.search(text):
            return
        if failure is not None:
            text, trace = text or failure.getErrorMessage(), failure.getTraceback()
        self._channel.tell(type="log", level=level, text=text, logger=event.get("log_namespace"), trace=trace)


def without_traceback(text):
    """Autobahn writes what handlers throw into the text. Returns the text without it, and the traceback or None."""
    start = text.find("Traceback (most recent call last)")
    if start == -1:
        return text, None
    before, trace = text[:start].strip(), text[start:]
    return before or trace.strip().rpartition("\n")[2], trace


_observer = None


class PythonHandler(logging.Handler):
    def __init__(self, channel):
        logging.Handler.__init__(self)
        self._channel = channel

    def emit(self, record):
        level = LEVELS.get(record.levelname.lower(), "info")
        try:
            trace = record.exc_info and logging.Formatter().formatException(record.exc_info)
            self._channel.tell(
                type="log", level=level, text=record.getMessage(), logger=record.name, trace=trace or None
            )
        except Exception:
            self.handleError(record)


def start(channel, level):
    """From now on everything that is logged is told to the node. `level` is a word of the node. Called once."""
    global _observer
    _observer = TwistedObserver(channel)
    globalLogBeginner.beginLoggingTo([_observer], redirectStandardIO=False)
    logging.getLogger().addHandler(PythonHandler(channel))
    set_level(level)


def set_level(level):
    """From now on so much is told. `level` is a word of the node."""
    rank = RANKS.get(level, RANKS["info"])
    _observer.rank = rank
    txaio.set_global_log_level("none" if rank == 0 else level)
    logging.getLogger().setLevel(PYTHON_LEVELS.get(rank, logging.DEBUG))
