"""Runs the operators of a node: loads them, joins the dataflow as one node, and hands out events until all have ended."""

import gc
import json
import os
import sys
import threading
import traceback
from datetime import datetime, timezone

from dora import Node

from .events import Event, array_of, parameters_of, size_of
from .member import Member
from .memory import Memory
from .operator import STOP, STOP_ALL, Operator, OperatorError
from .ports import ENDED, MAX_PENDING_SENDS, Port, SiblingEdge
from .reader import Reader
from .say import Plain, name_prints, record, speak_as

# What the daemon's relay takes for the end of an operator (src/wire/relay.ts).
END_OUTPUT = "dora/end/"


class Runtime:
    """
    A node whose operators run in this process.

    One thread calls all operators in turn, and reads the node's events when none of them has anything to do. Operators with
    `threads: true` are called by threads of their own; then one more thread reads. All of them share one lock, which no call
    of an operator holds.
    """

    def __init__(self, environment):
        self._plan = json.loads(environment["DORA_BUN_PLAN"])
        self._config = json.loads(environment["DORA_NODE_CONFIG"].replace("!Tcp ", "", 1))
        self._name = self._plan["node"]
        self._memory = Memory(self._plan)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._node = None
        self._reader = None
        self._failed = False
        self._streams = [Plain()]
        self._members = self._make_members()
        self._threaded = any(member.threads for member in self._members)

    def run(self):
        """Runs the operators to their end. Returns the exit code."""
        if len(self._members) > 1:
            self._streams = name_prints(self._name)
        if not self._load():
            return 1
        if not self._join():
            return 1
        reloads = self._plan.get("hotReload", False)
        self._reader = Reader(self._node, self._members, self._lock, self._notify, reloads)
        for member in self._members:
            member.operator.describe(self._config["dataflow_descriptor"])
            if member.threads:
                member.operator.unnoted()
        if self._threaded:
            self._run_threads()
        else:
            self._serve(self._members, reads=True)
        if not self._failed:
            self._node = None
            return 0
        if not self._threaded:
            for member in self._members:
                speak_as(member.operator.name)
                member.operator.drop()
            gc.collect()
        # Threads may be in calls that don't return. What was sent is with the daemon.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)

    def _make_members(self):
        plan = self._plan
        members = {}
        for index, operator in enumerate(plan["operators"]):
            prefix = operator["id"] + "/"
            outputs = {
                output["id"][len(prefix) :]: bool(output["edges"])
                for output in plan["outputs"]
                if output["id"].startswith(prefix)
            }
            loaded = Operator(self._name, index, operator, self._memory)
            members[operator["id"]] = Member(loaded, outputs, operator["threads"])
        for edge in plan["inputs"]:
            owner, id = edge["id"].split("/", 1)
            member = members[owner]
            if edge.get("sibling"):
                _, sender, output = edge["source"].split("/", 2)
                port = SiblingEdge(id, self._memory, edge, member)
                members[sender].outputs[output][1].append(port)
                members[sender].edges.append(port)
            else:
                port = Port(id, self._memory, edge)
                member.endless |= not port.is_data and not plan["exitWhenNodesFinish"]
            member.ports.append(port)
        for member in members.values():
            member.send_output = self._sender(member)
        return list(members.values())

    def _load(self):
        """Checks all, loads all; tells what is wrong."""
        checked = [member.operator.check() for member in self._members]
        problems = [problem for problem in checked if problem]
        for member in self._members if not problems else []:
            try:
                speak_as(member.operator.name)
                member.operator.load()
            except OperatorError as error:
                problems.append(error)
                break
        for problem in problems:
            record(self._name, "ERROR", str(problem))
        return not problems

    def _join(self):
        """Registers, and waits for all other nodes."""
        try:
            self._node = Node()
        except Exception as error:
            why = " ".join(str(error).split("\n\nLocation:")[0].split())
            record(self._name, "ERROR", f"node `{self._name}` can't join the dataflow: {why}")
        # Wheels before 1.0 have no clock to ask.
        self._now = getattr(self._node, "timestamp", lambda: datetime.now(timezone.utc))
        return self._node is not None

    def _run_threads(self):
        lanes = [[member] for member in self._members if member.threads]
        own = [member for member in self._members if not member.threads]
        works = [lambda lane=lane: self._serve(lane) for lane in lanes] + [self._read]
        threads = [threading.Thread(target=self._guarded, args=(work,), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        self._serve(own)
        with self._lock:
            self._changed.wait_for(lambda: self._failed or all(member.over for member in self._members))
        if not self._failed:
            for thread in threads:
                thread.join()

    def _guarded(self, work):
        """What goes wrong on a thread must not leave the others waiting."""
        try:
            work()
        except BaseException as error:
            traceback.print_exc()
            self._fail(error)

    def _read(self):
        """Reads the node's events until they end."""
        while not self._reader.ended:
            with self._lock:
                self._changed.wait_for(lambda: self._failed or not any(member.overfull for member in self._members))
            self._reader.take(wait=True)

    def _serve(self, members, reads=False):
        """Gives some operators their events in turn, until all of them have ended."""
        siblings = any(member.edges for member in members)
        left = list(members)
        while left and not self._failed:
            progress = False
            for member in left:
                with self._lock:
                    event = member.next_event()
                    if event is not None:
                        # There is room now for who waits for it.
                        self._notify()
                if event is not None:
                    progress = True
                    self._deliver(member, event)
            if any(member.over for member in left):
                left = [member for member in left if not member.over]
                continue
            if reads:
                if not progress or siblings or self._reader.ends:
                    self._take(wait=not progress)
            elif not progress:
                with self._lock:
                    if not self._failed and not any(member.ready for member in left):
                        self._changed.wait()

    def _notify(self):
        if self._threaded:
            self._changed.notify_all()

    def _take(self, wait):
        """Reads an event of the node, if there is one or it is waited for."""
        if not self._reader.ended:
            self._reader.take(wait)
        elif wait:
            # They wait for each other only.
            for member in self._members:
                self._end(member)

    def _deliver(self, member, event):
        kind = event["type"]
        if kind == ENDED:
            if member.finished:
                self._end(member)
            return
        operator = member.operator
        try:
            speak_as(operator.name)
            if kind == "RELOAD":
                self._reload(operator)
            status = operator.call(event, member.send_output)
        except OperatorError as error:
            if kind == "RELOAD":
                # As the official runtime: what a new version makes of its own loading ends nothing.
                record(self._name, "WARN", str(error), operator.name)
                return
            self._fail(error)
            return
        if status == STOP_ALL:
            with self._lock:
                for other in self._members:
                    if other is not member:
                        other.stop()
                self._notify()
        if status in (STOP, STOP_ALL) or kind == "STOP" or (kind == "INPUT_CLOSED" and member.finished):
            self._end(member)

    def _reload(self, operator):
        try:
            operator.reload()
            record(self._name, "INFO", f"{operator.id}: loaded anew", operator.name)
        except OperatorError as error:
            what = f"{operator.id}: not loaded anew, the version before goes on"
            record(self._name, "ERROR", f"{what}\n{error}", operator.name)

    def _sender(self, member):
        def send_output(output_id, data, metadata=None):
            if output_id in member.outputs:
                self._send(member, output_id, data, metadata)
            elif output_id not in member.undeclared:
                member.undeclared.add(output_id)
                what = f"operator `{member.operator.name}` sends on `{output_id}`, which is none of its outputs"
                record(self._name, "WARN", what, member.operator.name)

        return send_output

    def _send(self, member, output_id, data, metadata):
        remote, edges = member.outputs[output_id]
        value = array_of(data)
        if edges:
            size = size_of(value)
            parameters = parameters_of(metadata)
            # A sender that passes metadata on passes its time on.
            if "timestamp" not in parameters:
                parameters["timestamp"] = self._now()
            with self._lock:
                for edge in edges:
                    self._make_room(member, edge)
                    copy = dict(parameters)
                    edge.push(Event(type="INPUT", id=edge.id, kind="dora", value=value, metadata=copy), size)
                self._notify()
        if remote:
            self._node.send_output(f"{member.operator.id}/{output_id}", data, metadata)

    def _make_room(self, member, edge):
        if not edge.full:
            return
        if member.threads or edge.consumer.threads:
            # Somebody else makes room meanwhile.
            edge.count_wait()
            self._changed.wait_for(lambda: not edge.full or member.stopping or self._failed)
        if len(edge.waiting) >= MAX_PENDING_SENDS:
            what = f"{MAX_PENDING_SENDS} sends to input `{edge.consumer.operator.name}/{edge.id}` wait for room already"
            raise RuntimeError(what)

    def _fail(self, error):
        with self._lock:
            if not self._failed:
                record(self._name, "ERROR", str(error))
            self._failed = True
            self._notify()

    def _end(self, member):
        """The end of one operator: dropped, then its outputs end, and nobody waits for it any more."""
        if member.over:
            return
        speak_as(member.operator.name)
        member.operator.drop()
        for stream in self._streams:
            stream.finish(member.operator.name)
        with self._lock:
            member.end()
            last = all(other.over for other in self._members)
            self._notify()
        # The last one's end is that of the process, unless somebody reads for it.
        if not last or self._threaded:
            self._node.send_output(END_OUTPUT + member.operator.id, b"")
