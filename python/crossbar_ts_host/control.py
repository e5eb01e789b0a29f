"""
The control channel to the node: JSON objects, one a line, both ways. It needs nothing but the standard library.

A thread of its own reads it, so that the end of the node is seen also while a component is busy.
"""
import json
import os
import threading
import time

# How long the components have when the node is gone.
GRACE_SECONDS = 3
MAX_TEXT = 8000
MAX_TRACE = 30000


class Channel(object):
    """Our end of the channel."""

    def __init__(self, fd):
        self._fd = fd
        self._input = os.fdopen(fd, "rb", closefd=False)
        self._lock = threading.RLock()
        self._receive = None
        self._waiting = []
        self._at_exit = lambda: None

    def first(self):
        """Waits for the first message, and returns it."""
        return json.loads(self._input.readline().decode("utf-8"))

    def listen(self):
        """From now on messages are taken; they wait for `deliver_to`."""
        threading.Thread(target=self._read, name="control", daemon=True).start()

    def deliver_to(self, receive):
        """`receive` gets every message, and None at the end. It is called in the thread of the channel."""
        with self._lock:
            self._receive = receive
            waiting, self._waiting = self._waiting, []
            for message in waiting:
                receive(message)

    def at_exit(self, call):
        """`call` is the last thing that happens where a component keeps the process from its end."""
        self._at_exit = call

    def tell(self, **message):
        """
        Sends a message to the node. A node that is gone hears nothing. Without memory for the message the process ends, which the
        node sees.
        """
        try:
            self._tell(message)
        except MemoryError:
            os._exit(1)

    def _tell(self, message):
        for key, longest in (("problem", MAX_TEXT), ("text", MAX_TEXT)):
            if key in message:
                message[key] = str(message[key])[:longest]
        if message.get("trace") is not None:
            message["trace"] = str(message["trace"])[-MAX_TRACE:]
        line = (json.dumps(message, default=str) + "\n").encode("utf-8")
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._fd, line) :]
            except OSError:
                pass  # the reading thread sees the end, too, and ends this process

    def _read(self):
        try:
            for line in self._input:
                self._hand_on(json.loads(line.decode("utf-8")))
            self._hand_on(None)
        except MemoryError:
            os._exit(1)  # it would never hear of its end
        time.sleep(GRACE_SECONDS)
        try:
            self._at_exit()
        finally:
            os._exit(1)

    def _hand_on(self, message):
        with self._lock:
            if self._receive is None:
                self._waiting.append(message)
            else:
                self._receive(message)
