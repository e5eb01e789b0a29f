"""The connections of components that find their router by a transport of their config."""
from crossbar_ts_host import loading


def connect(spec, session, fail):
    """Connects a session; `fail` is called with a `loading.Failed` when that does not work out."""
    fail(loading.Failed("connect", "components of this worker need a link to their router"))
