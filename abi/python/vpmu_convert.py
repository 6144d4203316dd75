# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The conversions of abi/CONVERT.md, written from that page and from nothing else."""

SIZES = (64, 72, 80, 96, 104, 112, 120, 128, 136, 144)
NEWEST = SIZES[-1]
WORDS = ("type", "config", "config1", "config2", "sample_period", "flags", "link", "cookie")

# Guest flags, and flags of a conversion.
EXCLUDE_USER, EXCLUDE_KERNEL, PMI, MEMBER = 1, 2, 4, 8
RAW, HOST_SOFTWARE, SIBLING, PINNED, EXCLUDE_HOST, KERNEL = 1, 2, 4, 8, 16, 32

# field, offset, bits, first bit, version, verdict, verdict for a kernel, origin
FIELDS = (
    ("type", 0, 32, 0, 0, "accept", "accept", "guest"),
    ("size", 4, 32, 0, 0, "accept", "accept", "host"),
    ("config", 8, 64, 0, 0, "accept", "accept", "guest"),
    ("sample_period", 16, 64, 0, 0, "accept", "accept", "host"),
    ("sample_type", 24, 64, 0, 0, "refuse", "drop", "zero"),
    ("read_format", 32, 64, 0, 0, "drop", "drop", "host"),
    ("disabled", 40, 1, 0, 0, "accept", "accept", "host"),
    ("inherit", 40, 1, 1, 0, "never", "drop", "zero"),
    ("pinned", 40, 1, 2, 0, "drop", "drop", "host"),
    ("exclusive", 40, 1, 3, 0, "never", "drop", "zero"),
    ("exclude_user", 40, 1, 4, 0, "accept", "accept", "guest"),
    ("exclude_kernel", 40, 1, 5, 0, "accept", "accept", "guest"),
    ("exclude_hv", 40, 1, 6, 0, "drop", "drop", "zero"),
    ("exclude_idle", 40, 1, 7, 0, "drop", "drop", "zero"),
    ("mmap", 40, 1, 8, 0, "never", "drop", "zero"),
    ("comm", 40, 1, 9, 0, "never", "drop", "zero"),
    ("freq", 40, 1, 10, 0, "refuse", "drop", "zero"),
    ("inherit_stat", 40, 1, 11, 0, "never", "drop", "zero"),
    ("enable_on_exec", 40, 1, 12, 0, "never", "drop", "zero"),
    ("task", 40, 1, 13, 0, "never", "drop", "zero"),
    ("watermark", 40, 1, 14, 0, "refuse", "drop", "zero"),
    ("precise_ip", 40, 2, 15, 0, "refuse", "refuse", "zero"),
    ("mmap_data", 40, 1, 17, 0, "never", "drop", "zero"),
    ("sample_id_all", 40, 1, 18, 0, "refuse", "drop", "zero"),
    ("exclude_host", 40, 1, 19, 0, "refuse", "refuse", "host"),
    ("exclude_guest", 40, 1, 20, 0, "refuse", "refuse", "zero"),
    ("exclude_callchain_kernel", 40, 1, 21, 0, "refuse", "drop", "zero"),
    ("exclude_callchain_user", 40, 1, 22, 0, "refuse", "drop", "zero"),
    ("mmap2", 40, 1, 23, 0, "never", "drop", "zero"),
    ("comm_exec", 40, 1, 24, 0, "never", "drop", "zero"),
    ("use_clockid", 40, 1, 25, 0, "refuse", "drop", "zero"),
    ("context_switch", 40, 1, 26, 0, "never", "drop", "zero"),
    ("write_backward", 40, 1, 27, 0, "refuse", "drop", "zero"),
    ("namespaces", 40, 1, 28, 0, "never", "drop", "zero"),
    ("ksymbol", 40, 1, 29, 0, "never", "drop", "zero"),
    ("bpf_event", 40, 1, 30, 0, "never", "drop", "zero"),
    ("aux_output", 40, 1, 31, 0, "never", "never", "zero"),
    ("cgroup", 40, 1, 32, 0, "never", "drop", "zero"),
    ("text_poke", 40, 1, 33, 0, "never", "drop", "zero"),
    ("build_id", 40, 1, 34, 0, "never", "drop", "zero"),
    ("inherit_thread", 40, 1, 35, 0, "never", "drop", "zero"),
    ("remove_on_exec", 40, 1, 36, 0, "never", "drop", "zero"),
    ("sigtrap", 40, 1, 37, 0, "never", "drop", "zero"),
    ("defer_callchain", 40, 1, 38, 0, "never", "drop", "zero"),
    ("defer_output", 40, 1, 39, 0, "never", "drop", "zero"),
    ("__reserved_1", 40, 24, 40, 0, "reserved", "reserved", "zero"),
    ("wakeup_events", 48, 32, 0, 0, "refuse", "drop", "host"),
    ("bp_type", 52, 32, 0, 0, "refuse", "refuse", "zero"),
    ("config1", 56, 64, 0, 0, "accept", "accept", "guest"),
    ("config2", 64, 64, 0, 1, "accept", "accept", "guest"),
    ("branch_sample_type", 72, 64, 0, 2, "refuse", "refuse", "zero"),
    ("sample_regs_user", 80, 64, 0, 3, "refuse", "drop", "zero"),
    ("sample_stack_user", 88, 32, 0, 3, "refuse", "drop", "zero"),
    ("clockid", 92, 32, 0, 3, "refuse", "drop", "zero"),
    ("sample_regs_intr", 96, 64, 0, 4, "refuse", "drop", "zero"),
    ("aux_watermark", 104, 32, 0, 5, "never", "never", "zero"),
    ("sample_max_stack", 108, 16, 0, 5, "refuse", "drop", "zero"),
    ("__reserved_2", 110, 16, 0, 5, "reserved", "reserved", "zero"),
    ("aux_sample_size", 112, 32, 0, 6, "never", "never", "zero"),
    ("aux_action", 116, 32, 0, 6, "never", "never", "zero"),
    ("sig_data", 120, 64, 0, 7, "never", "drop", "zero"),
    ("config3", 128, 64, 0, 8, "refuse", "refuse", "zero"),
    ("config4", 136, 64, 0, 9, "refuse", "refuse", "zero"),
)
VERDICT_ERROR = {"refuse": "UNSUPPORTED", "never": "DENIED", "reserved": "INVALID"}
# Type here: (type of perf, most events)
GENERIC = {1: (0, 10), 4: (1, 9)}
NAMES = {
    1: (("cycles", "cpu-cycles"), ("instructions",), ("cache-references",), ("cache-misses",),
        ("branches", "branch-instructions"), ("branch-misses",), ("bus-cycles",),
        ("stalled-cycles-frontend", "idle-cycles-frontend"),
        ("stalled-cycles-backend", "idle-cycles-backend"), ("ref-cycles",)),
    4: (("cpu-clock",), ("task-clock",), ("page-faults", "faults"), ("context-switches", "cs"),
        ("cpu-migrations", "migrations"), ("minor-faults",), ("major-faults",),
        ("alignment-faults",), ("emulation-faults",)),
}
CACHES = ("L1-dcache", "L1-icache", "LLC", "dTLB", "iTLB", "branch", "node")
OPERATIONS = (("load", "loads"), ("store", "stores"), ("prefetch", "prefetches"))
EXCLUSIONS = {"x86-core": "hhiihh", "amd-ibs": "rrrrrr", "no-exclude": "rrrrrr",
              "arm64-vhe": "hhirhh", "arm64-nvhe": "hhhrhh", "loongarch": "hhiiii",
              "software": "iiiiii"}


class Refusal(Exception):
    """An error, the name of what is wrong, and the verdict."""

    def __init__(self, error, name, verdict="refuse"):
        super().__init__(error, name)
        self.error, self.name, self.verdict = error, name, verdict


def check(wrong, error, name):
    """Refuse what is wrong."""
    if wrong:
        raise Refusal(error, name)


class PerfAttr:
    """A perf_event_attr of the newest version as bytes."""

    def __init__(self, data=b"", order="little"):
        self.bytes = bytearray(data[:NEWEST]) + bytes(NEWEST - len(data[:NEWEST]))
        self.order = order

    def _place(self, name):
        _, offset, bits, first = next(row[:4] for row in FIELDS if row[0] == name)
        word = 64 if offset == 40 else bits
        shift = first if self.order == "little" or offset != 40 else 64 - first - bits
        return slice(offset, offset + word // 8), shift, (1 << bits) - 1

    def __getitem__(self, name):
        place, shift, mask = self._place(name)
        return int.from_bytes(self.bytes[place], self.order) >> shift & mask

    def __setitem__(self, name, value):
        place, shift, mask = self._place(name)
        word = int.from_bytes(self.bytes[place], self.order) & ~(mask << shift)
        word |= (value & mask) << shift
        self.bytes[place] = word.to_bytes(place.stop - place.start, self.order)


def turned(data, back=False):
    """Return a struct as a big-endian machine lays it out; with back, what such a machine made."""
    orders = ("big", "little") if back else ("little", "big")
    source, target = (PerfAttr(order=order) for order in orders)
    source.bytes[:len(data)] = data[:NEWEST]
    for row in FIELDS:
        target[row[0]] = source[row[0]]
    return bytes(target.bytes)


def cache_exists(config):
    """R-CONV-9."""
    return config & 0xff < 7 and config >> 8 & 0xff < 3 and config >> 16 < 2


def exists(kind, config):
    """Return whether there is such an event here."""
    if kind in GENERIC:
        return 1 <= config <= GENERIC[kind][1]
    return kind == 3 or cache_exists(config)


def check_attr(attr):
    """SPEC.md R-EVT-1, and the fields of the words (R-CONV-16)."""
    get = {word: attr.get(word, 0) for word in WORDS}
    raw = get["type"] == 3
    leader, model = get["link"] & 0x3f, get["link"] >> 32
    check(not 1 <= get["type"] <= 4, "INVALID", "type")
    check(not exists(get["type"], get["config"]), "INVALID", "config")
    check(not raw and get["config1"], "INVALID", "config1")
    check(not raw and get["config2"], "INVALID", "config2")
    check(get["sample_period"] >> 63, "INVALID", "sample_period")
    check(get["flags"] > 15 or get["flags"] & 3 == 3, "INVALID", "flags")
    check(get["link"] & 0xffffffc0 or leader > 62, "INVALID", "link")
    check(leader and not get["flags"] & MEMBER, "INVALID", "link")
    check(model and not raw, "INVALID", "link")
    return get


def to_perf(attr, options, room=NEWEST, order="little"):
    """Return the bytes, or raise Refusal (sections 3 and 4)."""
    opt = dict.fromkeys(("bytes", "left", "read_format", "config_mask", "config1_mask",
                         "config2_mask", "flags", "pmu_type", "pmu_model", "wakeup_events"), 0)
    opt.update(options)
    size = opt["bytes"] or NEWEST
    pmu = opt["pmu_type"]
    check(size not in SIZES, "INVALID", "bytes")
    check(room < size, "INVALID", "room")
    check(opt["left"] >> 63, "INVALID", "left")
    check(opt["read_format"] > 0x1f, "INVALID", "read_format")
    check(opt["flags"] > 31, "INVALID", "flags")
    check(pmu in (1, 2, 3, 5), "INVALID", "pmu_type")
    get = check_attr(attr)
    kind = get["type"]
    if kind == 3:
        check(not opt["flags"] & RAW, "DENIED", "type")
        check(opt["pmu_model"] not in (0, get["link"] >> 32), "UNSUPPORTED", "link")
        for word in ("config", "config1", "config2"):
            check(get[word] & ~opt[f"{word}_mask"], "DENIED", word)
        check(get["config2"] and size < 72, "UNSUPPORTED", "config2")
    if kind == 4:
        check(get["flags"] & 3, "UNSUPPORTED", "flags")
        check(not opt["flags"] & HOST_SOFTWARE, "DENIED", "type")
    made = PerfAttr(order=order)
    leads = not opt["flags"] & SIBLING
    made["type"] = {1: 0, 2: 3, 3: pmu or 4, 4: 1}[kind]
    made["config"] = get["config"] - (1 if kind in GENERIC else 0) + \
        (pmu << 32 if kind in (1, 2) else 0)
    made["config1"], made["config2"] = get["config1"], get["config2"]
    made["exclude_user"] = int(bool(get["flags"] & EXCLUDE_USER))
    made["exclude_kernel"] = int(bool(get["flags"] & EXCLUDE_KERNEL))
    made["size"], made["sample_period"] = size, opt["left"]
    made["read_format"], made["wakeup_events"] = opt["read_format"], opt["wakeup_events"]
    made["disabled"] = int(leads)
    made["pinned"] = int(leads and bool(opt["flags"] & PINNED))
    made["exclude_host"] = int(bool(opt["flags"] & EXCLUDE_HOST))
    return bytes(made.bytes[:size])


def _length(data, kernel, order):
    """R-CONV-3, R-CONV-4 and R-CONV-7: how many bytes are the struct."""
    check(len(data) < 64, "INVALID", "size")
    size = len(data)
    if not kernel:
        size = int.from_bytes(data[4:8], order) or 64
        check(size < 64, "INVALID", "size")
    check(size > 4096, "TOO_BIG", "size")
    check(size > len(data), "INVALID", "size")
    check(any(data[NEWEST:size]), "TOO_BIG", "tail")
    return size


def _event(perf, opt):
    """Return the words type, config, config1, config2, link of the event."""
    kind, config = perf["type"], perf["config"]
    if kind == 4 or (kind >= 6 and kind == opt["pmu_type"]):
        check(not opt["flags"] & RAW or not opt["pmu_model"], "DENIED", "type")
        for word in ("config", "config1", "config2"):
            check(perf[word] & ~opt[f"{word}_mask"], "DENIED", word)
        return {"type": 3, "config": config, "config1": perf["config1"],
                "config2": perf["config2"], "link": opt["pmu_model"] << 32}
    check(kind not in (0, 1, 3), "UNSUPPORTED", "type")
    check(kind == 1 and not opt["flags"] & HOST_SOFTWARE, "DENIED", "type")
    if kind != 1 and config >> 32 == opt["pmu_type"]:
        config &= 0xffffffff
    here = {0: 1, 1: 4, 3: 2}[kind]
    config += 1 if here in GENERIC else 0
    check(not exists(here, config), "UNSUPPORTED", "config")
    check(perf["config1"], "UNSUPPORTED", "config1")
    check(perf["config2"], "UNSUPPORTED", "config2")
    return {"type": here, "config": config}


def from_perf(data, options, order="little"):
    """Return (error, name, verdict, dropped, enable, attr) (sections 1 to 3)."""
    opt = dict.fromkeys(("left", "config_mask", "config1_mask", "config2_mask", "flags",
                         "pmu_type", "pmu_model"), 0)
    opt.update(options)
    kernel = bool(opt["flags"] & KERNEL)
    dropped = []
    try:
        check(opt["flags"] & ~(RAW | HOST_SOFTWARE | KERNEL), "INVALID", "flags")
        perf = PerfAttr(data[:_length(data, kernel, order)], order)
        for row in FIELDS:
            verdict = row[6] if kernel else row[5]
            if not perf[row[0]] or verdict == "accept":
                continue
            if verdict != "drop":
                raise Refusal(VERDICT_ERROR[verdict], row[0], verdict)
            dropped.append(row[0])
        attr = dict.fromkeys(WORDS, 0)
        attr.update(_event(perf, opt))
        if perf["sample_period"]:
            attr["sample_period"] = opt["left"] if kernel else perf["sample_period"]
            check(not 0 < attr["sample_period"] < 1 << 63, "INVALID", "sample_period")
            attr["flags"] |= PMI
        user, system = perf["exclude_user"], perf["exclude_kernel"]
        check(user and system, "INVALID", "exclude_kernel")
        check(attr["type"] == 4 and user, "UNSUPPORTED", "exclude_user")
        check(attr["type"] == 4 and system, "UNSUPPORTED", "exclude_kernel")
        attr["flags"] |= user * EXCLUDE_USER | system * EXCLUDE_KERNEL
    except Refusal as refusal:
        return refusal.error, refusal.name, refusal.verdict, dropped, 0, {}
    return ("NONE", "", "drop" if dropped else "accept", dropped, 1 - perf["disabled"],
            {word: value for word, value in attr.items() if value})


def name(attr):
    """Return the name of an event (section 5), or raise Refusal."""
    plain = {k: v for k, v in attr.items() if k not in ("link", "sample_period")}
    plain["flags"] = plain.get("flags", 0) & ~(PMI | MEMBER)
    get = check_attr(plain)
    kind, config = get["type"], get["config"]
    check(get["config1"] or get["config2"], "UNSUPPORTED", "config1")
    check(kind == 4 and get["flags"] & 3, "UNSUPPORTED", "flags")
    if kind in NAMES:
        text = NAMES[kind][config - 1][0]
    elif kind == 3:
        text = f"r{config:x}"
    else:
        one, many = OPERATIONS[config >> 8 & 0xff]
        text = f"{CACHES[config & 0xff]}-" + (f"{one}-misses" if config >> 16 else many)
    return text + {0: "", EXCLUDE_USER: ":k", EXCLUDE_KERNEL: ":u"}[get["flags"] & 3]


def _named(text):
    """Return type and config of a name without modifier."""
    for kind, names in NAMES.items():
        for number, own in enumerate(names, 1):
            if text in own:
                return kind, number
    for cache, prefix in enumerate(CACHES):
        for operation, (one, many) in enumerate(OPERATIONS):
            if text == f"{prefix}-{many}":
                return 2, cache | operation << 8
            if text == f"{prefix}-{one}-misses":
                return 2, cache | operation << 8 | 1 << 16
    digits = text[1:]
    check(text[:1] != "r" or not 1 <= len(digits) <= 16 or
          any(c not in "0123456789abcdefABCDEF" for c in digits), "INVALID", "event")
    return 3, int(digits, 16)


def parse(text):
    """Return the words of a name, or raise Refusal."""
    plain, colon, modifier = text.partition(":")
    kind, config = _named(plain)
    flags = {"u": EXCLUDE_KERNEL, "k": EXCLUDE_USER, "uk": 0, "ku": 0}
    check(colon and modifier not in flags, "INVALID", "modifier")
    check(colon and kind == 4, "UNSUPPORTED", "modifier")
    return {"type": kind, "config": config, "flags": flags.get(modifier, 0)}


def exclude(pmu, flags):
    """R-CONV-24: h, i or r for a set of flags, bits in the order of the table."""
    row = EXCLUSIONS[pmu]
    return max(("h", *(row[bit] for bit in range(6) if flags >> bit & 1)), key="hir".index)
