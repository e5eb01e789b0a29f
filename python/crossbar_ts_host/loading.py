"""From the config of a component to its session, which has joined nothing yet."""
import importlib
import sys
import traceback

from autobahn.twisted.wamp import ApplicationSession
from autobahn.wamp.types import ComponentConfig


class Failed(Exception):
    """A component cannot go on: where on its way, why in one line, and the traceback if that says more."""

    def __init__(self, stage, problem, trace=None):
        Exception.__init__(self, problem)
        self.stage = stage
        self.problem = " ".join(problem.split())
        self.trace = trace


def failure_of(stage, error):
    """What an exception of a component says to the operator."""
    lines = traceback.format_exception_only(type(error), error)
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    # Of a SyntaxError the place in the file comes first.
    return Failed(stage, lines[-1] if not isinstance(error, SyntaxError) else "SyntaxError: %s" % error, trace)


def create_session(spec, cbdir):
    """Imports the code of a component, and makes its session. Raises Failed."""
    extra = spec.get("extra")
    if extra is None:
        extra = {}
    if isinstance(extra, dict):
        extra = dict(extra, cbdir=cbdir)
    config = ComponentConfig(realm=spec.get("realm"), extra=extra)
    if spec["type"] == "function":
        return _function_session(spec["callbacks"], config)
    session_class = _session_class(spec["classname"])
    try:
        if spec.get("extra") is not None and hasattr(session_class, "check_config"):
            session_class.check_config(None, spec["extra"])
        return session_class(config)
    except BaseException as error:
        raise failure_of("construct", error)


def _function_session(callbacks, config):
    """A plain session, whose events are heard by functions."""
    functions = {event: load(name) for event, name in callbacks.items()}
    session = ApplicationSession(config)
    on_join = functions.pop("join", None)
    if on_join is not None:
        session.onJoin = lambda details: on_join(session, details)
    for event, function in functions.items():
        session.on(event, function)
    return session


def _session_class(classname):
    found = load(classname)
    if not isinstance(found, type) or not issubclass(found, ApplicationSession):
        bases = [base.__module__ for base in getattr(found, "__mro__", ())]
        hint = " (that of asyncio is another one)" if "autobahn.asyncio.wamp" in bases else ""
        raise Failed("import", '"%s" is no autobahn.twisted.wamp.ApplicationSession%s' % (classname, hint))
    return found


def load(name):
    """Returns what `module.name` is. Raises Failed."""
    module_name, _, attribute = name.rpartition(".")
    if not module_name:
        raise Failed("import", '"%s" names no module: write "module.%s"' % (name, name))
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        if error.name is not None and (module_name + ".").startswith(error.name + "."):
            raise Failed("import", 'there is no module "%s" in %s' % (error.name, ", ".join(sys.path)))
        raise failure_of("import", error)
    except BaseException as error:
        raise failure_of("import", error)
    try:
        return getattr(module, attribute)
    except AttributeError:
        # A directory without `__init__.py` is a module, too.
        place = getattr(module, "__file__", None) or "a directory"
        raise Failed("import", 'the module "%s" (%s) has no "%s"' % (module_name, place, attribute))
