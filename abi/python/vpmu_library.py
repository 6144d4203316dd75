# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The C library behind the interface of the implementations, through ctypes."""

import ctypes
from ctypes import (CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_int64, c_uint32,
                    c_uint64, c_void_p, sizeof)

from vpmu_model import DEFAULT_PROFILE
from vpmu_move import PLATFORM
from vpmu_numbers import EVENT_FLAG
from vpmu_world import WorldError

OUTCOMES = ("done", "refused", "fault", "not_mine")
ERRORS = {"INVALID": -1, "TOO_BIG": -2, "NO_MEMORY": -3, "DENIED": -4, "UNSUPPORTED": -5,
          "STARVED": -6, "TAKEN": -7, "LIMIT": -8, "GONE": -9, "GROUP": -10, "STATE": -11,
          "MEMORY": -12, "EXISTS": -13, "SYSTEM": -14, "IMAGE": -15, "NEWER": -16}
MEMORY = ERRORS["MEMORY"]
PROFILE_64 = ("size", "features", "period_floor", "hardware_events", "software_events", "epoch")
PROFILE_32 = ("cache_events", "pmu_model", "level", "slots", "counting", "batch_words",
              "slot_operations", "host_events", "creation_rate", "creation_burst", "pmi_rate",
              "pmi_burst")


class Profile(Structure):
    """struct vpmu_profile."""

    _fields_ = [(n, c_uint64) for n in PROFILE_64] + [(n, c_uint32) for n in PROFILE_32]


class Attr(Structure):
    """struct guest_perf_attr."""

    _fields_ = [("words", c_uint64 * 8)]


ATTENTION = CFUNCTYPE(None, c_void_p, c_uint64)


class SourceThread(Structure):
    """struct vpmu_source_thread."""

    _fields_ = [("size", c_uint64), ("id", c_int64), ("attention", c_void_p),
                ("opaque", c_void_p)]


class SourceEvent(Structure):
    """struct vpmu_source_event."""

    _fields_ = [("attr", Attr), ("left", c_uint64), ("tag", c_uint32), ("flags", c_uint32)]


class SourceOpened(Structure):
    """struct vpmu_source_opened."""

    _fields_ = [("group", c_void_p), ("failed", c_uint32), ("reused", c_uint32)]


class SourceReading(Structure):
    """struct vpmu_source_reading."""

    _fields_ = [("enabled", c_uint64), ("running", c_uint64), ("count", c_uint32),
                ("flags", c_uint32), ("increase", c_uint64 * 63)]


class SourceFacts(Structure):
    """struct vpmu_source_facts."""

    _fields_ = [("size", c_uint64), ("hardware_events", c_uint64), ("software_events", c_uint64),
                ("cache_events", c_uint32), ("raw_events", c_uint32), ("counters", c_uint32),
                ("edges", c_uint32)]


SOURCE_TYPES = {
    "probe": CFUNCTYPE(c_int, c_void_p, POINTER(SourceFacts)),
    "attach": CFUNCTYPE(c_int, c_void_p, POINTER(SourceThread), POINTER(c_void_p)),
    "detach": CFUNCTYPE(None, c_void_p, c_void_p),
    "open": CFUNCTYPE(c_int, c_void_p, c_void_p, POINTER(SourceEvent), c_uint32, c_uint32,
                      POINTER(SourceOpened)),
    "close": CFUNCTYPE(None, c_void_p, c_void_p, c_void_p, c_uint32),
    "run": CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_uint32),
    "read": CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, POINTER(SourceReading)),
    "period": CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_uint32, c_uint64),
    "edge": CFUNCTYPE(c_int, c_void_p, c_void_p, c_uint32)}

HOST_TYPES = {
    "allocate": CFUNCTYPE(c_void_p, c_void_p, c_uint64),
    "release": CFUNCTYPE(None, c_void_p, c_void_p, c_uint64),
    "guest_check": CFUNCTYPE(c_int, c_void_p, c_uint32, c_uint64, c_uint64),
    "guest_read": CFUNCTYPE(c_int, c_void_p, c_uint32, c_uint64, c_void_p, c_uint64),
    "guest_write": CFUNCTYPE(c_int, c_void_p, c_uint32, c_uint64, c_void_p, c_uint64),
    "guest_store": CFUNCTYPE(c_int, c_void_p, c_uint32, c_uint64, c_uint64),
    "pmi": CFUNCTYPE(c_int, c_void_p, c_uint32, c_uint32, c_uint32),
    "clock": CFUNCTYPE(c_uint64, c_void_p),
    "guest_clock": CFUNCTYPE(c_uint64, c_void_p, c_uint32),
    "log": CFUNCTYPE(None, c_void_p, c_uint32, c_char_p),
    "pmu_state": CFUNCTYPE(None, c_void_p, c_uint32, c_uint32)}


class SourceOps(Structure):
    """struct vpmu_source_ops."""

    _fields_ = [("size", c_uint64)] + list(SOURCE_TYPES.items()) + [("edges", c_uint64)]


class HostOps(Structure):
    """struct vpmu_host_ops."""

    _fields_ = [("size", c_uint64)] + list(HOST_TYPES.items())


class Config(Structure):
    """struct vpmu_config."""

    _fields_ = [("size", c_uint64), ("profile", POINTER(Profile)), ("host", POINTER(HostOps)),
                ("host_opaque", c_void_p), ("source", POINTER(SourceOps)),
                ("source_opaque", c_void_p)]


class Platform(Structure):
    """struct vpmu_image_platform."""

    _fields_ = [("size", c_uint64), ("base", c_uint64), ("architecture", c_uint32),
                ("transport", c_uint32), ("line", c_uint32), ("reserved", c_uint32)]


class ImageOptions(Structure):
    """struct vpmu_image_options."""

    _fields_ = [("size", c_uint64), ("platform", POINTER(Platform)), ("bank", c_void_p),
                ("facts", c_void_p), ("missing", c_uint32), ("level", c_uint32),
                ("accept_loss", c_uint32), ("keep_unknown", c_uint32),
                ("lent", c_uint32), ("reserved", c_uint32)]


class Window(Structure):
    """struct vpmu_window."""

    _fields_ = [("size", c_uint64), ("base", c_uint64), ("shift", c_uint32), ("reserved", c_uint32)]


class WindowAccess(Structure):
    """struct vpmu_window_access."""

    _fields_ = [("address", c_uint64), ("width", c_uint32), ("write", c_uint32),
                ("value", c_uint64)]


class Host:
    """The host ops and the source of one VM, which hand everything on to the world."""

    current = None

    def __init__(self, world):
        self.world = world
        self.threads = {}
        self.binding = 0
        self.memory = {}
        self.texts = []
        self.problems = []


def guarded(function, on_error):
    """Keep an exception from crossing the library: remember it and answer an error."""
    def call(*arguments):
        try:
            return function(Host.current, *arguments)
        except WorldError as error:
            return ERRORS[error.name]
        except Exception as error:  # pylint: disable=broad-except
            Host.current.problems.append(f"{type(error).__name__}: {error}")
            return on_error
    return call


def source_probe(_host, _source, facts):
    """Everything can be counted."""
    facts[0].hardware_events = 0x7FE
    facts[0].software_events = 0x3FE
    facts[0].cache_events = facts[0].raw_events = 1
    return 0


def source_attach(host, _source, thread, attached):
    """Begin with a thread."""
    host.world.attach(host.binding)
    host.threads[host.binding] = (ATTENTION(thread[0].attention), thread[0].opaque)
    attached[0] = host.binding + 1
    return 0


def source_detach(host, _source, attached):
    """End with a thread."""
    host.threads.pop(attached - 1, None)
    host.world.detach(attached - 1)


def source_open(host, _source, attached, events, count, _flags, opened):
    """Open a group."""
    try:
        handle, flags = host.world.open(attached - 1, [events[n].tag for n in range(count)])
    except WorldError as error:
        opened[0].failed = error.failed
        raise
    for number in range(count):
        events[number].flags = flags[number]
    opened[0].group = handle
    return 0


def source_close(host, _source, attached, group, _keep):
    """Close a group."""
    host.world.close(attached - 1, group)


def source_run(host, _source, attached, group, on):
    """Start or pause a group."""
    host.world.run(attached - 1, group, on)
    return 0


def source_read(host, _source, attached, group, reading):
    """Read a group."""
    answer = reading[0]
    answer.enabled = answer.running = answer.flags = 0
    tags = host.world.groups[(attached - 1, group)].tags
    for number in range(len(tags)):
        answer.increase[number] = 0
    if answer.count != len(tags):
        host.problems.append(f"read of {answer.count} events of a group of {len(tags)}")
    enabled, running, throttled, increases = host.world.read(attached - 1, group)
    answer.enabled, answer.running = enabled, running
    answer.flags = EVENT_FLAG["THROTTLED"] if throttled else 0
    for number, increase in enumerate(increases):
        answer.increase[number] = increase
    return 0


def source_period(host, _source, attached, group, member, left):
    """Ask for a notice."""
    host.world.period(attached - 1, group, member, left)
    return 0


def host_allocate(host, _opaque, size):
    """Give memory."""
    memory = ctypes.create_string_buffer(size + 16)
    address = (ctypes.addressof(memory) + 15) & ~15
    host.memory[address] = memory
    return address


def host_release(host, _opaque, memory, _size):
    """Take memory back."""
    del host.memory[memory]


def host_guest_check(host, _opaque, _vcpu, address, size):
    """Check a range."""
    return 0 if host.world.memory_check(address, size) else MEMORY


def host_guest_read(host, _opaque, _vcpu, address, to, size):
    """Read guest memory."""
    words = host.world.memory_read(address, size)
    if words is None:
        return MEMORY
    ctypes.memmove(to, (c_uint64 * len(words))(*words), size)
    return 0


def host_guest_write(host, _opaque, _vcpu, address, data, size):
    """Write guest memory."""
    words = (c_uint64 * (size // 8)).from_address(data)
    return 0 if host.world.memory_write(address, list(words)) else MEMORY


def host_guest_store(host, _opaque, _vcpu, address, value):
    """Store one word."""
    return 0 if host.world.memory_store(address, value) else MEMORY


def host_pmi(host, _opaque, vcpu, mode, vector):
    """Inject a PMI."""
    return 0 if host.world.pmi(vcpu, mode, vector) else ERRORS["SYSTEM"]


def host_clock(host, _opaque):
    """The host's clock."""
    return host.world.clock


def host_guest_clock(host, _opaque, _vcpu):
    """The guest's clock."""
    return host.world.guest_clock


def host_log(host, _opaque, _level, text):
    """Keep a text."""
    host.texts.append(text.decode())


def table(structure, types, prefix):
    """Build a table of functions; those without one stay NULL."""
    ops = structure(size=sizeof(structure))
    for name, kind in types.items():
        function = globals().get(f"{prefix}_{name}")
        if function:
            setattr(ops, name, kind(guarded(function, None if kind.restype is None else -14)))
    return ops


# One set of callbacks for all VMs: making them is what costs.
SOURCE = table(SourceOps, SOURCE_TYPES, "source")
HOST = table(HostOps, HOST_TYPES, "host")

PROTOTYPES = {
    "vpmu_vm_create": (c_int, [POINTER(Config), POINTER(c_void_p)]),
    "vpmu_vm_destroy": (c_int, [c_void_p]),
    "vpmu_vm_release_pmu": (None, [c_void_p]),
    "vpmu_vm_return_pmu": (None, [c_void_p]),
    "vpmu_vcpu_add": (c_int, [c_void_p, c_uint32, POINTER(c_void_p)]),
    "vpmu_vcpu_remove": (c_int, [c_void_p]),
    "vpmu_vcpu_bind": (c_int, [c_void_p, c_int64]),
    "vpmu_vcpu_unbind": (None, [c_void_p]),
    "vpmu_vcpu_enter": (None, [c_void_p]),
    "vpmu_vcpu_leave": (None, [c_void_p]),
    "vpmu_vcpu_notify": (None, [c_void_p]),
    "vpmu_vcpu_reset": (None, [c_void_p]),
    "vpmu_vcpu_stop": (c_int, [c_void_p]),
    "vpmu_vcpu_resume": (c_int, [c_void_p]),
    "vpmu_vcpu_commit": (c_int, [c_void_p, c_uint32]),
    "vpmu_vm_save": (c_int, [c_void_p, POINTER(ImageOptions), c_void_p, c_uint64,
                             POINTER(c_uint64)]),
    "vpmu_vm_load": (c_int, [c_void_p, c_void_p, c_uint64, POINTER(ImageOptions), c_void_p]),
    "vpmu_vcpu_read": (c_int, [c_void_p, c_uint64, POINTER(c_uint64)]),
    "vpmu_vcpu_write": (c_int, [c_void_p, c_uint64, c_uint64]),
    "vpmu_vcpu_batch": (c_int, [c_void_p, c_uint64, c_uint64]),
    "vpmu_window_access": (c_int, [POINTER(Window), c_void_p, POINTER(WindowAccess)]),
    "vpmu_call": (c_uint64, [c_void_p, POINTER(c_uint64)]),
    "vpmu_mailbox_format": (c_int, [c_void_p, c_uint32]),
    "vpmu_mailbox_serve": (c_int, [c_void_p, c_uint32])}


class Lazy:
    """The functions of the library, looked up when they are first called."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)

    def __getattr__(self, name):
        function = getattr(self.library, name)
        function.restype, function.argtypes = PROTOTYPES[name]
        setattr(self, name, function)
        return function


def load(path):
    """Return an implementation: the library at a path."""
    functions = Lazy(path)
    functions.vpmu_vm_create  # pylint: disable=pointless-statement
    return type("LoadedLibrary", (Library,), {"functions": functions})


class Library:
    """One VM of the C library."""

    name = "c"
    functions = None

    def __init__(self, profile, world):
        self.profile, self.world = dict(DEFAULT_PROFILE, **profile), world
        self.host = Host.current = Host(world)
        self.vm = c_void_p()
        self.members = {}
        config = Config(size=sizeof(Config), profile=ctypes.pointer(
            Profile(size=sizeof(Profile), **self.profile)), host=ctypes.pointer(HOST),
            source=ctypes.pointer(SOURCE))
        self.must(self.functions.vpmu_vm_create(byref(config), byref(self.vm)), "vpmu_vm_create")

    def must(self, answer, what):
        """Stop at an error that no trace asks for."""
        if answer:
            raise RuntimeError(f"{what} answered {answer}: {' '.join(self.host.texts)}")

    def destroy(self):
        """Give everything back."""
        for vcpu in self.members:
            self.functions.vpmu_vcpu_unbind(vcpu)
            self.must(self.functions.vpmu_vcpu_remove(vcpu), "vpmu_vcpu_remove")
        self.must(self.functions.vpmu_vm_destroy(self.vm), "vpmu_vm_destroy")
        if self.host.memory:
            raise RuntimeError(f"{len(self.host.memory)} allocations were not given back")
        if self.world.groups:
            raise RuntimeError(f"{len(self.world.groups)} groups were left open on the host")
        if self.host.problems:
            raise RuntimeError("; ".join(self.host.problems))

    def add(self, number):
        """Add a vCPU."""
        vcpu = c_void_p()
        self.must(self.functions.vpmu_vcpu_add(self.vm, number, byref(vcpu)), "vpmu_vcpu_add")
        self.members[vcpu.value] = number
        return vcpu.value

    def registers(self, vcpu, indices):
        """Return the values of registers."""
        value = c_uint64()
        pointer = byref(value)
        read = self.functions.vpmu_vcpu_read
        values = []
        for index in indices:
            values.append(None if read(vcpu, index, pointer) else value.value)
        return values

    def read(self, vcpu, index):
        """Read a register."""
        value = c_uint64()
        outcome = OUTCOMES[self.functions.vpmu_vcpu_read(vcpu, index, byref(value))]
        return outcome, value.value if outcome == "done" else None

    def write(self, vcpu, index, value):
        """Write a register."""
        return OUTCOMES[self.functions.vpmu_vcpu_write(vcpu, index, value)]

    def batch(self, vcpu, address, words):
        """Run a batch."""
        return OUTCOMES[self.functions.vpmu_vcpu_batch(vcpu, address, words)]

    def window(self, vcpu, base, shift, address, width, value):
        """Access a window."""
        window = Window(size=sizeof(Window), base=base, shift=shift)
        access = WindowAccess(address=address, width=width, write=value is not None,
                              value=value or 0)
        outcome = OUTCOMES[self.functions.vpmu_window_access(byref(window), vcpu, byref(access))]
        return outcome, access.value if value is None and outcome != "not_mine" else None

    def call(self, vcpu, arguments):
        """Make a user hypercall."""
        return self.functions.vpmu_call(vcpu, (c_uint64 * 6)(*arguments))

    def mailbox_format(self, vcpus):
        """Write the header of a mailbox region."""
        return min(self.functions.vpmu_mailbox_format(self.vm, vcpus), 0)

    def mailbox_serve(self, vcpu, block):
        """Answer the requests of a block."""
        return max(self.functions.vpmu_mailbox_serve(vcpu, block), -1)

    def act(self, vcpu, what):
        """Do one of enter, leave, notify, unbind, reset, stop, resume."""
        self.must(getattr(self.functions, f"vpmu_vcpu_{what}")(vcpu), what)

    def options(self, missing="STRICT"):
        """Return how an image is saved and loaded."""
        platform = Platform(size=sizeof(Platform), **PLATFORM)
        return byref(ImageOptions(size=sizeof(ImageOptions), platform=ctypes.pointer(platform),
                                  missing=("STRICT", "DEGRADE", "STUB").index(missing)))

    def save(self):
        """Return the image of a VM that is stopped."""
        length = c_uint64()
        self.functions.vpmu_vm_save(self.vm, self.options(), None, 0, byref(length))
        image = ctypes.create_string_buffer(length.value)
        self.must(self.functions.vpmu_vm_save(self.vm, self.options(), image, length.value,
                                              byref(length)), "vpmu_vm_save")
        return image.raw

    def load(self, image, missing):
        """Take an image for the commits."""
        self.must(self.functions.vpmu_vm_load(self.vm, image, len(image), self.options(missing),
                                              None), "vpmu_vm_load")

    def commit(self, vcpu, generation):
        """Give a vCPU its state."""
        self.must(self.functions.vpmu_vcpu_commit(vcpu, generation), "vpmu_vcpu_commit")

    def bind(self, vcpu, number):
        """Bind a vCPU to its thread."""
        self.host.binding = number
        self.must(self.functions.vpmu_vcpu_bind(vcpu, number + 1), "vpmu_vcpu_bind")

    def attention(self, vcpu, tags):
        """Give notice of events."""
        attention, opaque = self.host.threads[self.members[vcpu]]
        attention(opaque, tags)

    def release_pmu(self):
        """Take the PMU."""
        self.functions.vpmu_vm_release_pmu(self.vm)

    def return_pmu(self):
        """Give the PMU back."""
        self.functions.vpmu_vm_return_pmu(self.vm)
