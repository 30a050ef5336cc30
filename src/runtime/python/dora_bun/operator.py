"""One operator: its file, its class, its calls."""

import importlib.machinery
import importlib.util
import os
import sys
import traceback

from .memory import CALL_DROP, CALL_EVENT, CALL_INIT, CALL_LOAD, Unnoted

CONTINUE, STOP, STOP_ALL = 0, 1, 2


class OperatorError(Exception):
    """Something is wrong with an operator. The text is what, where, why and what to do, as the daemon's own errors."""

    def __init__(self, plan, what, why, fix=None):
        lines = [f"{plan['place']}: {what}", "  why: " + why.replace("\n", "\n       ")]
        if fix:
            lines.append(f"  fix: {fix}")
        super().__init__("\n".join(lines))


class Operator:
    """An operator that is loaded. `call` is for the runtime, one call at a time."""

    def __init__(self, node, index, plan, memory):
        self.id = plan["id"]
        self.name = f"{node}/{self.id}"
        self.plan = plan
        self._index = index
        self._memory = memory
        self._instance = None
        self._descriptor = None
        self._saved = None

    def check(self):
        """What keeps it from being loaded, as far as that can be told without running its code; or None."""
        path = self.plan["path"]
        if os.path.isfile(path):
            return None
        why = "there is no such file"
        return self._unloadable(why, "check the spelling of the path, which starts at the directory of the dataflow file")

    @property
    def changed(self):
        """Has the file been saved since it was loaded?"""
        return _saved_at(self.plan["path"]) != self._saved

    def load(self):
        """Imports the file and makes the operator. Raises OperatorError."""
        self._instance = self._make(self._import())

    def unnoted(self):
        """It is called by a thread of its own: whose code runs can't be said in one word any more."""
        self._memory = Unnoted()

    def describe(self, descriptor):
        """Gives the operator the dataflow file, as the official runtime does."""
        self._descriptor = descriptor
        self._hand_descriptor(self._instance)

    def call(self, event, send_output):
        """Hands an event over. Returns the status; raises OperatorError."""
        self._memory.enter(self._index, CALL_EVENT)
        try:
            answer = self._instance.on_event(event, send_output)
        except BaseException as error:
            raise self._failed("in on_event", error) from None
        finally:
            self._memory.leave()
        status = getattr(answer, "value", answer)
        if status is None:
            return CONTINUE
        if type(status) is int and CONTINUE <= status <= STOP_ALL:
            return status
        why = f"on_event returned {status!r}, which is no status"
        raise OperatorError(self.plan, self._what("in on_event"), why, "return a DoraStatus")

    def reload(self):
        """Puts the class as it is saved now in the place of the old one. Raises OperatorError, and changes nothing then."""
        made = self._make(self._import(anew=True))
        # A class with slots has none, and begins anew.
        getattr(made, "__dict__", {}).update(getattr(self._instance, "__dict__", {}))
        self._hand_descriptor(made)
        self._instance = made

    def drop(self):
        """Lets it go."""
        self._memory.enter(self._index, CALL_DROP)
        self._instance = None
        self._memory.leave()

    def _import(self, anew=False):
        self._memory.enter(self._index, CALL_LOAD)
        self._saved = _saved_at(self.plan["path"])
        try:
            return load_module(self.plan["path"], self.id, anew)
        except BaseException as error:
            print_traceback(error)
            fix = "see the traceback above"
            raise self._unloadable(last_line(error), fix) from None
        finally:
            self._memory.leave()

    def _make(self, module):
        made = getattr(module, "Operator", None)
        if not isinstance(made, type):
            fix = "write `class Operator:` with a method `on_event(self, event, send_output)`"
            raise self._unloadable("it has no class `Operator`", fix)
        if not callable(getattr(made, "on_event", None)):
            fix = "write `def on_event(self, event, send_output)`"
            raise self._unloadable("its class `Operator` has no method `on_event`", fix)
        self._memory.enter(self._index, CALL_INIT)
        try:
            return made()
        except BaseException as error:
            raise self._failed("in __init__", error) from None
        finally:
            self._memory.leave()

    def _hand_descriptor(self, instance):
        try:
            instance.dataflow_descriptor = self._descriptor
        except AttributeError:
            # A class with slots has no place for it.
            pass

    def _failed(self, where, error):
        print_traceback(error)
        return OperatorError(self.plan, self._what(where), last_line(error), "see the traceback above")

    def _what(self, where):
        return f"operator `{self.name}` ({self.plan['path']}) failed {where}"

    def _unloadable(self, why, fix):
        return OperatorError(self.plan, f"operator `{self.name}`: can't load {self.plan['path']}", why, fix)


def _saved_at(path):
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None


def load_module(path, operator, anew):
    """Imports a file under its own name, unless that is the name of another module."""
    folder, file = os.path.split(path)
    name = os.path.splitext(file)[0]
    if folder not in sys.path:
        sys.path.append(folder)
    loaded = sys.modules.get(name)
    if not _is_from(getattr(loaded, "__spec__", None), path):
        try:
            found = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            found = None
        if not _is_from(found, path):
            # Official: whatever else has this name would be imported.
            name = f"{name}__{operator}"
    if name in sys.modules and not anew:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        # Any other ending than `.py`.
        loader = importlib.machinery.SourceFileLoader(name, path)
        spec = importlib.util.spec_from_loader(name, loader)
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        # Not by way of the byte code of the last second, which may be that of the version before.
        exec(spec.loader.source_to_code(spec.loader.get_data(path), path), module.__dict__)
    except BaseException:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
        raise
    return module


def _is_from(spec, path):
    origin = getattr(spec, "origin", None)
    return origin is not None and os.path.exists(origin) and os.path.samefile(origin, path)


def print_traceback(error):
    """The traceback of an operator's error on stderr, without our own frames."""
    told = part = traceback.TracebackException.from_exception(error)
    own = os.path.dirname(os.path.abspath(__file__))
    while part is not None:
        part.stack = traceback.StackSummary.from_list(
            [frame for frame in part.stack if not frame.filename.startswith(own)]
        )
        part = part.__cause__ or part.__context__
    sys.stderr.write("".join(told.format()))


def last_line(error):
    """What an error says: the last line of its traceback."""
    return "".join(traceback.format_exception_only(type(error), error)).strip()
