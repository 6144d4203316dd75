# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The C library in another process, perhaps on another machine, behind the interface of the implementations.

tests/cross/testee.c is the other end, and says what the frames are.
"""

import struct
import subprocess

import vpmu_convert
from vpmu_library import ERRORS, OUTCOMES, PROFILE_32, PROFILE_64
from vpmu_model import DEFAULT_PROFILE
from vpmu_move import PLATFORM
from vpmu_numbers import EVENT_FLAG
from vpmu_world import WorldError

REQUESTS = ("order", "create", "destroy", "add", "remove", "read", "registers", "write", "batch",
            "window", "call", "format", "serve", "bind", "act", "attend", "release", "return",
            "convert_to", "convert_from", "convert_name", "stop", "resume", "save", "load",
            "commit", "image_check", "image_events", "image_convert")
KINDS = {name: number for number, name in enumerate(REQUESTS, 1)}
CALLS = ("attach", "detach", "open", "close", "run", "read", "period", "check", "fetch", "put",
         "store", "pmi", "clock", "guest_clock", "log")
ACTS = ("enter", "leave", "notify", "unbind", "reset")
MISSING = ("STRICT", "DEGRADE", "STUB")
PLATFORM_WORDS = ("base", "architecture", "transport", "line")
U64 = (1 << 64) - 1
MEMORY = ERRORS["MEMORY"]


def signed(word):
    """Return a word as a number with a sign."""
    return word - (1 << 64) if word >> 63 else word


def options(missing="STRICT"):
    """Return the words of how an image is saved and loaded."""
    return [*(PLATFORM[name] for name in PLATFORM_WORDS), MISSING.index(missing)]


class Testee:
    """A process with the library."""

    def __init__(self, command):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.device = None
        self.order = "big" if self.ask("order")[0][0] else "little"

    def end(self):
        """End the process."""
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(timeout=60)

    def send(self, kind, words, data=b""):
        """Write a frame."""
        words = [word & U64 for word in words]
        self.process.stdin.write(struct.pack(f"<3Q{len(words)}Q", kind, len(words), len(data),
                                             *words) + data)
        self.process.stdin.flush()

    def exactly(self, size):
        """Read so many bytes."""
        data = self.process.stdout.read(size) if size else b""
        if len(data) != size:
            raise RuntimeError(f"the testee ended with {self.process.wait(timeout=60)}")
        return data

    def receive(self):
        """Read a frame."""
        kind, words, size = struct.unpack("<3Q", self.exactly(24))
        return kind, struct.unpack(f"<{words}Q", self.exactly(8 * words)), self.exactly(size)

    def ask(self, name, words=(), data=b""):
        """Make a request, answer the calls that come meanwhile, and return words and bytes."""
        self.send(KINDS[name], words, data)
        while True:
            kind, words, data = self.receive()
            if kind == 0:
                return words, data
            self.serve(CALLS[kind - 1], words, data)

    def serve(self, name, words, data):
        """Answer a call."""
        try:
            answer, out = getattr(self.device, "on_" + name)(words, data)
        except WorldError as error:
            answer, out = [ERRORS[error.name], error.failed], b""
        self.send(0, answer, out)


class PipeDevice:
    """One VM of the library in a testee; its class is made by device()."""

    name = "pipe"
    testee = None

    def __init__(self, profile, world):
        self.profile, self.world = dict(DEFAULT_PROFILE, **profile), world
        self.testee.device = self
        self.members = {}
        self.texts = []
        self.problems = []
        words = [self.profile.get(name, 0) for name in PROFILE_64[1:] + PROFILE_32]
        self.must(self.testee.ask("create", words)[0][0], "vpmu_vm_create")

    def must(self, answer, what):
        """Stop at an error that no trace asks for."""
        if answer:
            raise RuntimeError(f"{what} answered {signed(answer)}: {' '.join(self.texts)}")

    def destroy(self):
        """Give everything back."""
        for vcpu in self.members:
            self.act(vcpu, "unbind")
            self.must(self.testee.ask("remove", [vcpu])[0][0], "vpmu_vcpu_remove")
        error, left = self.testee.ask("destroy")[0]
        self.must(error, "vpmu_vm_destroy")
        if left:
            raise RuntimeError(f"{left} allocations were not given back")
        if self.world.groups:
            raise RuntimeError(f"{len(self.world.groups)} groups were left open on the host")
        if self.problems:
            raise RuntimeError("; ".join(self.problems))

    def add(self, number):
        """Add a vCPU."""
        error, vcpu = self.testee.ask("add", [number])[0]
        self.must(error, "vpmu_vcpu_add")
        self.members[vcpu] = number
        return vcpu

    def registers(self, vcpu, indices):
        """Return the values of registers."""
        words, _ = self.testee.ask("registers", [vcpu, *indices])
        return [None if outcome else value for outcome, value in zip(words[::2], words[1::2])]

    def read(self, vcpu, index):
        """Read a register."""
        outcome, value = self.testee.ask("read", [vcpu, index])[0]
        return OUTCOMES[outcome], None if outcome else value

    def write(self, vcpu, index, value):
        """Write a register."""
        return OUTCOMES[self.testee.ask("write", [vcpu, index, value])[0][0]]

    def batch(self, vcpu, address, words):
        """Run a batch."""
        return OUTCOMES[self.testee.ask("batch", [vcpu, address, words])[0][0]]

    def window(self, vcpu, base, shift, address, width, value):
        """Access a window."""
        asked = [vcpu or 0, base, shift, address, width, value is not None, value or 0]
        outcome, got = self.testee.ask("window", asked)[0]
        outcome = OUTCOMES[outcome]
        return outcome, got if value is None and outcome != "not_mine" else None

    def call(self, vcpu, arguments):
        """Make a user hypercall."""
        return self.testee.ask("call", [vcpu, *arguments])[0][0]

    def mailbox_format(self, vcpus):
        """Write the header of a mailbox region."""
        return min(signed(self.testee.ask("format", [vcpus])[0][0]), 0)

    def mailbox_serve(self, vcpu, block):
        """Answer the requests of a block."""
        return max(signed(self.testee.ask("serve", [vcpu, block])[0][0]), -1)

    def act(self, vcpu, what):
        """Do one of enter, leave, notify, unbind, reset, stop, resume."""
        if what in ACTS:
            self.testee.ask("act", [vcpu, ACTS.index(what)])
        else:
            self.must(self.testee.ask(what, [vcpu])[0][0], what)

    def save(self):
        """Return the image of a VM that is stopped."""
        (error,), image = self.testee.ask("save", options())
        self.must(error, "vpmu_vm_save")
        return image

    def load(self, image, missing):
        """Take an image for the commits."""
        self.must(self.testee.ask("load", options(missing), image)[0][0], "vpmu_vm_load")

    def commit(self, vcpu, generation):
        """Give a vCPU its state."""
        self.must(self.testee.ask("commit", [vcpu, generation])[0][0], "vpmu_vcpu_commit")

    def bind(self, vcpu, number):
        """Bind a vCPU to its thread."""
        self.must(self.testee.ask("bind", [vcpu, number + 1])[0][0], "vpmu_vcpu_bind")

    def attention(self, vcpu, tags):
        """Give notice of events."""
        self.testee.ask("attend", [self.members[vcpu] + 1, tags])

    def release_pmu(self):
        """Take the PMU."""
        self.testee.ask("release")

    def return_pmu(self):
        """Give the PMU back."""
        self.testee.ask("return")

    # What the library calls. A thread of the world is one less than that of the source.

    def on_attach(self, words, _data):
        """Begin with a thread."""
        self.world.attach(words[0] - 1)
        return [0], b""

    def on_detach(self, words, _data):
        """End with a thread."""
        self.world.detach(words[0] - 1)
        return [0], b""

    def on_open(self, words, _data):
        """Open a group."""
        handle, flags = self.world.open(words[0] - 1, list(words[1:]))
        return [0, 0, handle, *flags], b""

    def on_close(self, words, _data):
        """Close a group."""
        self.world.close(words[0] - 1, words[1])
        return [0], b""

    def on_run(self, words, _data):
        """Start or pause a group."""
        self.world.run(words[0] - 1, words[1], words[2])
        return [0], b""

    def on_read(self, words, _data):
        """Read a group."""
        if words[2] != len(self.world.groups[(words[0] - 1, words[1])].tags):
            self.problems.append(f"read of {words[2]} events")
        enabled, running, throttled, increases = self.world.read(words[0] - 1, words[1])
        return [0, enabled, running, EVENT_FLAG["THROTTLED"] if throttled else 0,
                *increases], b""

    def on_period(self, words, _data):
        """Ask for a notice."""
        self.world.period(words[0] - 1, *words[1:])
        return [0], b""

    def on_check(self, words, _data):
        """Check a range."""
        return [0 if self.world.memory_check(*words) else MEMORY], b""

    def on_fetch(self, words, _data):
        """Read guest memory."""
        got = self.world.memory_read(*words)
        return ([MEMORY], b"") if got is None else ([0], struct.pack(f"<{len(got)}Q", *got))

    def on_put(self, words, data):
        """Write guest memory."""
        put = list(struct.unpack(f"<{len(data) // 8}Q", data))
        return [0 if self.world.memory_write(words[0], put) else MEMORY], b""

    def on_store(self, words, _data):
        """Store a word."""
        return [0 if self.world.memory_store(*words) else MEMORY], b""

    def on_pmi(self, words, _data):
        """Inject a PMI."""
        return [0 if self.world.pmi(*words) else ERRORS["STATE"]], b""

    def on_clock(self, _words, _data):
        """Tell the time."""
        return [self.world.clock], b""

    def on_guest_clock(self, _words, _data):
        """Tell the guest's time."""
        return [self.world.guest_clock], b""

    def on_log(self, _words, data):
        """Keep a text."""
        self.texts.append(data.decode())
        return [0], b""


def device(testee):
    """Return an implementation: the library in a testee."""
    return type("LoadedPipe", (PipeDevice,), {"testee": testee})


def turned(data, order, back=False):
    """Turn a struct perf_event_attr from the vectors' byte order to the machine's, or back."""
    if order == "little":
        return data
    size = min(len(data), vpmu_convert.NEWEST)
    return vpmu_convert.turned(data, back)[:size] + data[size:]


class PipeConversions:
    """The conversions of the library in a testee, as conformance_convert.py uses them."""

    def __init__(self, testee, errors, verdicts):
        self.testee, self.errors, self.verdicts = testee, errors, verdicts
        self.fields = vpmu_convert.FIELDS

    def to_perf(self, attr, options, room):
        """Return error, name and bytes."""
        words = [attr.get(word, 0) for word in vpmu_convert.WORDS]
        words += [options.get(name, 0) for name in (
            "bytes", "left", "read_format", "config_mask", "config1_mask", "config2_mask",
            "flags", "pmu_type", "pmu_model", "wakeup_events")]
        answer, data = self.testee.ask("convert_to", words + [room])
        result = signed(answer[0])
        size = max(result, 0)
        if data[size:160] != b"\xa5" * (160 - size):
            return "bytes written past the struct", "", b""
        return (self.errors[min(result, 0)], data[160:].decode(),
                turned(data[:size], self.testee.order, back=True))

    def from_perf(self, data, options):
        """Return error, name, verdict, dropped, enable and words."""
        words = [options.get(name, 0) for name in (
            "left", "config_mask", "config1_mask", "config2_mask", "flags", "pmu_type",
            "pmu_model")]
        given = turned(data, self.testee.order)
        answer, name = self.testee.ask("convert_from", words, given)
        bits = answer[2] | answer[3] << 64
        attr = {word: value for word, value in zip(vpmu_convert.WORDS, answer[5:]) if value}
        dropped = [row[0] for i, row in enumerate(self.fields) if bits >> i & 1]
        got = (self.errors[signed(answer[0])], name.decode(), self.verdicts[answer[1]], dropped,
               answer[4], attr)
        return self.whole(got, data, given, options)

    def whole(self, got, data, given, options):
        """Return what was got, or what the vector says where the length cuts a field.

        What is left of such a field differs by byte order (R-CONV-2, R-CONV-3); there the model judges.
        """
        if given == data:
            return got
        little = vpmu_convert.from_perf(data, options)
        big = vpmu_convert.from_perf(given, options, "big")
        return little if got == big != little else got

    def names(self, text):
        """Return error, name, words and the text that is written for them."""
        answer, data = self.testee.ask("convert_name", [], text.encode())
        name, written = data.split(b"\0")
        if answer[0] == 0 and signed(answer[1]) < 0:
            return "it has no name again", "", {}, ""
        attr = {word: value for word, value in zip(vpmu_convert.WORDS, answer[2:]) if value}
        return self.errors[signed(answer[0])], name.decode(), attr, written.decode()
