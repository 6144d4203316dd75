# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The image of abi/IMAGE.md, written from that page: read, proved, written, described, converted.

read() proves an image and returns it as an Image; write() gives its bytes; a refusal says where.
The steps stand in the order of the page, so that it can be read beside it.
"""

import struct

from vpmu_event import ON_COUNTER, countable, event_reason
from vpmu_image_numbers import (
    ARCHITECTURE, BANK, FORMAT, HEADER, HEADER_BYTES, KIND, MAGIC, MAX_BANK_PAIRS, MAX_BYTES,
    MAX_EPOCH, MAX_RECORD_WORDS, MAX_VCPUS, MUST, READER, RECORD, TRANSPORT, VCPU_WORDS, VM,
    VM_WORD)
from vpmu_numbers import (
    AREA, ATTR, ATTR_FLAG, ATTR_WORD, CONTROL, EPOCH, EVENT, EVENT_AT, EVENT_FLAG, EVENT_WORD,
    FEATURE, HARDWARE, LEVEL_DRAFT, LINE, MAX_BATCH_WORDS, MAX_SLOTS, PMI, REASON, REG, SAVED,
    SOFTWARE, STATE, STRIDE, U32, U64)

FIRST = REG[SAVED[0]]
LAST_LEFT = (1 << 63) - 1
OPTIONAL = 1 << 31
ATTR_NAMES = [row[0] for row in ATTR]
HEADER_AT = {name: 8 * place for place, (name, _) in enumerate(HEADER)}
ALL_FEATURES = sum(FEATURE.values())
ALL_HARDWARE = sum(1 << value for value in HARDWARE.values())
ALL_SOFTWARE = sum(1 << value for value in SOFTWARE.values())
ALL_FLAGS = sum(EVENT_FLAG.values())
ALL_MUST = sum(MUST.values())
BANK_OF = {ARCHITECTURE["X86"]: BANK["X86_PMU"], ARCHITECTURE["LOONGARCH"]: BANK["LOONGARCH_PMU"]}
COUNTING = (STATE["ACTIVE"], STATE["PARTIAL"], STATE["INACTIVE"])
# R-IMG-19: reasons of open slots.
REASONS = {STATE[state]: {REASON[name] for name in reasons.split()} for state, reasons in {
    "CLOSED": "",
    "STOPPED": "NONE NOT_PORTABLE HOST_LIMIT UNBOUND",
    "ACTIVE": "NONE",
    "PARTIAL": "NONE",
    "INACTIVE": "NONE NOT_PORTABLE UNBOUND",
    "ERROR": "DENIED UNSUPPORTED STARVED NOT_PORTABLE HOST_TOOK_PMU HOST_LIMIT OPENING BAD_GROUP "
             "AGAIN"}.items()}


class Refusal(Exception):
    """Why and where an image is refused; what does not apply is None."""

    def __init__(self, fault, offset, word, record=None, vcpu=None, slot=None):
        super().__init__(f"{fault}: {word} at {offset} (record {record}, vCPU {vcpu}, slot {slot})")
        self.fault, self.offset, self.word = fault, offset, word
        self.record, self.vcpu, self.slot = record, vcpu, slot

    def place(self):
        """Return all of it as plain data."""
        return {"fault": self.fault, "record": self.record, "offset": self.offset,
                "vcpu": self.vcpu, "slot": self.slot, "word": self.word}


# ---- CRC32C --------------------------------------------------------------------------------------

def crc_table(bits):
    """Return what becomes of each value of so many bits when they are shifted out."""
    table = list(range(1 << bits))
    for _ in range(bits):
        table = [value >> 1 ^ (0x82F63B78 if value & 1 else 0) for value in table]
    return table


CRC_8 = crc_table(8)
CRC_16 = crc_table(16)


def crc32c(data):
    """Return the CRC32C of some bytes (R-IMG-4)."""
    crc = U32
    for (pair,) in struct.iter_unpack("<H", data[:len(data) & ~1]):
        crc = crc >> 16 ^ CRC_16[(crc ^ pair) & 0xFFFF]
    for byte in data[len(data) & ~1:]:
        crc = crc >> 8 ^ CRC_8[(crc ^ byte) & 0xFF]
    return crc ^ U32


def checksum_of(data):
    """Return what the checksum of an image should be."""
    return crc32c(data[:20] + bytes(4) + data[24:])


def mended(data):
    """Return an image with its right checksum."""
    return data[:20] + struct.pack("<I", checksum_of(data)) + data[24:]


# ---- what an image holds -------------------------------------------------------------------------

class Vcpu:
    """What an image says of a vCPU; a slot's words that are all 0 are not there."""

    def __init__(self, number, control, record=None, offset=None):
        self.number, self.control = number, control
        self.record, self.offset = record, offset
        self.attr, self.event, self.banks = {}, {}, {}

    def register(self, name):
        """Return a saved register."""
        return self.control[SAVED.index(name)]

    def attr_words(self, slot):
        """Return the attr words of a slot."""
        return self.attr.get(slot, [0] * len(ATTR))

    def event_words(self, slot):
        """Return the event words of a slot."""
        return self.event.get(slot, [0] * len(EVENT))

    def leader(self, slot):
        """Return the slot that leads another."""
        attr = self.attr_words(slot)
        member = attr[ATTR_WORD["flags"]] & ATTR_FLAG["MEMBER"]
        return attr[ATTR_WORD["link"]] & 0x3F if member else slot

    def open_slots(self):
        """Return the open slots."""
        opened = self.register("OPENED")
        return [slot for slot in range(opened.bit_length()) if opened >> slot & 1]

    def group(self, leader):
        """Return the open slots of a group."""
        return [slot for slot in self.open_slots() if self.leader(slot) == leader]

    def counters(self, slots):
        """Return how many of some slots need a counter."""
        return sum(self.attr_words(slot)[0] in ON_COUNTER for slot in slots)


class Image:
    """An image. `kept` are optional records that this page does not define: (head, vcpu, words)."""

    def __init__(self, architecture, vm, level=1, kind=KIND["STATE"]):
        self.architecture, self.vm, self.level, self.kind = architecture, vm, level, kind
        self.version, self.may = FORMAT, 0
        self.vcpus, self.kept = [], []

    def granted(self, name):
        """Return a word of the record VM."""
        return self.vm[VM_WORD[name]]

    @property
    def slots(self):
        """Granted slots."""
        return self.granted("limits") & 0xFF

    @property
    def counting(self):
        """Slots that may count at once."""
        return self.granted("limits") >> 8 & 0xFF

    def grants(self):
        """Return what an event is held against."""
        return {name: self.granted(name) for name in (
            "features", "hardware_events", "software_events", "cache_events", "pmu_model")}


# ---- section 2: the header -----------------------------------------------------------------------

def header_of(data):
    """Return the words of the header, if it is one (R-IMG-1)."""
    if len(data) < HEADER_BYTES:
        raise Refusal("SHORT", 0, "magic")
    words = struct.unpack_from("<8Q", data)
    if words[0] != MAGIC:
        raise Refusal("MAGIC", 0, "magic")
    return dict(zip(HEADER_AT, words))


def info(data):
    """Return the fields of the header of an image of any version."""
    words = header_of(data)
    return {"bytes": words["size"] & U32, "version": words["format"] >> 16 & 0xFFFF,
            "reader": words["format"] >> 32 & 0xFFFF, "kind": words["format"] >> 48,
            "architecture": words["vm"] & U32, "level": words["vm"] >> 32,
            "vcpus": words["counts"] & U32, "records": words["counts"] >> 32,
            "checksum": words["size"] >> 32, "must": words["must"], "may": words["may"]}


def prove_header(data):
    """Look at the header (R-IMG-1 to R-IMG-5); return its fields."""
    words, field = header_of(data), info(data)

    def refuse_if(wrong, fault, word):
        if wrong:
            raise Refusal(fault, HEADER_AT[word], word)

    refuse_if(field["reader"] > FORMAT, "NEWER", "format")
    refuse_if(field["level"] > LEVEL_DRAFT, "NEWER", "vm")
    refuse_if(field["must"] & ~ALL_MUST, "NEWER", "must")
    refuse_if(len(data) < field["bytes"], "SHORT", "size")
    refuse_if(len(data) > field["bytes"] or len(data) > MAX_BYTES, "LONG", "size")
    refuse_if(field["checksum"] != checksum_of(data), "CHECKSUM", "size")
    refuse_if(words["format"] & 0xFFFF != HEADER_BYTES, "HEADER", "format")
    refuse_if(field["reader"] == 0, "HEADER", "format")
    refuse_if(field["version"] < field["reader"], "HEADER", "format")
    refuse_if(field["kind"] not in KIND.values(), "HEADER", "format")
    refuse_if(field["bytes"] % 8, "HEADER", "size")
    refuse_if(field["architecture"] not in ARCHITECTURE.values(), "HEADER", "vm")
    refuse_if(field["level"] == 0, "HEADER", "vm")
    refuse_if(field["vcpus"] > MAX_VCPUS, "HEADER", "counts")
    refuse_if(words["reserved"], "HEADER", "reserved")
    return field


# ---- section 3: records --------------------------------------------------------------------------

class Reader:
    """Reads records one after the other; `image` grows with them."""

    def __init__(self, data):
        self.data, self.header = data, prove_header(data)
        self.image = Image(self.header["architecture"], None, self.header["level"],
                           self.header["kind"])
        self.image.version, self.image.may = self.header["version"], self.header["may"]
        self.offset, self.record = HEADER_BYTES, 0
        self.vcpu = None
        self.last = None
        self.ended = False

    def refuse(self, fault, place=0, word="head", vcpu=None, slot=None):
        """Refuse the record at hand, or its word at some place."""
        raise Refusal(fault, self.offset + 8 * place, word, self.record, vcpu, slot)

    def read(self):
        """Read all of it and return the image."""
        while not self.ended:
            self.take()
        self.prove_counts()
        return self.image

    def take(self):
        """Take one record."""
        left = (len(self.data) - self.offset) // 8
        if left < 2:
            self.refuse("RECORD")
        head, vcpu = struct.unpack_from("<2Q", self.data, self.offset)
        kind, count = head & 0xFF, head >> 32
        known = (head >> 8 & 0xFF in BANK.values() if kind == RECORD["REGISTERS"]
                 else kind in RECORD.values())
        if head >> 48:
            self.refuse("RECORD")
        if vcpu >> 32:
            self.refuse("RECORD", 1, "vcpu")
        if count > MAX_RECORD_WORDS or count > left - 2 or (known and head & OPTIONAL):
            self.refuse("RECORD")
        if not known and not head & OPTIONAL:
            self.refuse("UNKNOWN")
        words = list(struct.unpack_from(f"<{count}Q", self.data, self.offset + 16))
        if self.vcpu and not (known and kind == RECORD["REGISTERS"] and vcpu == self.vcpu.number):
            prove_vcpu(self.image, self.vcpu)
            self.vcpu = None
        if (self.record == 0) != (known and kind == RECORD["VM"]):
            self.refuse("ORDER")
        if not known:
            self.image.kept.append((head, vcpu, words))
        else:
            act = {RECORD["END"]: self.take_end, RECORD["VM"]: self.take_vm,
                   RECORD["REGISTERS"]: self.take_registers}
            act[kind](head, vcpu, words)
        self.offset += 16 + 8 * count
        self.record += 1

    def take_end(self, head, vcpu, words):
        """END (R-IMG-9, R-IMG-10)."""
        if self.offset + 16 + 8 * len(words) != len(self.data):
            self.refuse("ORDER")
        if head:
            self.refuse("RECORD")
        if vcpu:
            self.refuse("RECORD", 1, "vcpu")
        self.ended = True

    def take_vm(self, head, vcpu, words):
        """VM (R-IMG-10, R-IMG-15)."""
        if head != RECORD["VM"] | len(VM) << 32:
            self.refuse("RECORD")
        if vcpu:
            self.refuse("RECORD", 1, "vcpu")
        for place, (name, _) in enumerate(VM):
            fault = vm_fault(name, words)
            if fault:
                self.refuse(fault, 2 + place, name)
        self.image.vm = words

    def take_registers(self, head, number, words):
        """Registers of a vCPU: their order (R-IMG-9)."""
        bank, first = head >> 8 & 0xFF, head >> 16 & 0x7FFF
        here = bank, first
        if self.image.kept:
            self.refuse("ORDER")
        if self.vcpu:
            before, at = self.last
            if bank < before or bank == before and (bank or first <= at):
                self.refuse("ORDER")
        elif self.image.vcpus and number <= self.image.vcpus[-1].number:
            self.refuse("ORDER")
        if bank and self.image.kind == KIND["CONFIGURATION"]:
            self.refuse("ORDER")
        self.last = here
        if not self.vcpu:
            self.take_control(number, bank, first, words)
        elif bank:
            self.take_bank(bank, first, words)
        else:
            self.take_slot(first, words)

    def take_control(self, number, bank, first, words):
        """The first record of a vCPU (R-IMG-11, R-IMG-16)."""
        if bank or first != FIRST or len(words) != VCPU_WORDS:
            self.refuse("RECORD")
        for place, (name, value) in enumerate(zip(SAVED, words)):
            if not control_in_range(name, value, self.image.slots):
                self.refuse("RANGE", 2 + place, name, number)
        self.vcpu = Vcpu(number, words, self.record, self.offset)
        self.image.vcpus.append(self.vcpu)

    def take_slot(self, first, words):
        """Words of a slot (R-IMG-11, R-IMG-12, R-IMG-16)."""
        slot, at = first // STRIDE - 1, first % STRIDE
        event_words = sum(since <= self.image.level for _, since in EVENT)
        shape = {0: len(ATTR), EVENT_AT: event_words}
        if not 0 <= slot < self.image.slots or shape.get(at) != len(words):
            self.refuse("RECORD")
        if not any(words):
            self.refuse("ALL_ZERO", 0, "head", self.vcpu.number, slot)
        names = ATTR_NAMES if at == 0 else list(EVENT_WORD)
        for place, (name, value) in enumerate(zip(names, words)):
            if not (attr_in_range(name, value, self.image.granted("period_floor")) if at == 0
                    else event_in_range(name, value)):
                self.refuse("RANGE", 2 + place, name, self.vcpu.number, slot)
        (self.vcpu.event if at else self.vcpu.attr)[slot] = words

    def take_bank(self, bank, first, words):
        """State of an in-kernel PMU (R-IMG-13)."""
        if first or not words or len(words) % 2 or len(words) > 2 * MAX_BANK_PAIRS:
            self.refuse("RECORD")
        for place in range(0, len(words), 2):
            if words[place] > U32:
                self.refuse("RANGE", 2 + place, "index", self.vcpu.number)
        if BANK_OF.get(self.image.architecture) != bank:
            self.refuse("STATE", 0, "head", self.vcpu.number)
        self.vcpu.banks[bank] = list(zip(words[::2], words[1::2]))

    def prove_counts(self):
        """See that the header counts what there is (R-IMG-5)."""
        if self.header["records"] != self.record or self.header["vcpus"] != len(self.image.vcpus):
            raise Refusal("HEADER", HEADER_AT["counts"], "counts")
        if self.header["must"] != must_of(self.image):
            raise Refusal("HEADER", HEADER_AT["must"], "must")


def must_of(image):
    """Return the features that a reader must know."""
    banks = {bank for vcpu in image.vcpus for bank in vcpu.banks}
    return sum(1 << (bank - 1) for bank in banks)


# ---- section 4: state ----------------------------------------------------------------------------

def vm_fault(name, words):
    """Return what is wrong with a word of VM, or None (R-IMG-15)."""
    value, features = words[VM_WORD[name]], words[VM_WORD["features"]]
    slots, counting, batch = value & 0xFF, value >> 8 & 0xFF, value >> 16 & 0xFFFF
    in_range = {
        "features": not value & ~ALL_FEATURES,
        "limits": (1 <= slots <= MAX_SLOTS and 1 <= counting <= MAX_SLOTS
                   and 3 <= batch <= MAX_BATCH_WORDS and value >> 32 >= MAX_SLOTS),
        "period_floor": value >= 1,
        "hardware_events": not value & ~ALL_HARDWARE,
        "software_events": not value & ~ALL_SOFTWARE,
        "transport": value in TRANSPORT.values()}
    if value & ~dict(VM)[name] or not in_range.get(name, True):
        return "RANGE"
    raw = bool(features & FEATURE["RAW"])
    if name == "pmu_model" and raw != bool(value):
        return "STATE"
    if name == "base" and value and words[VM_WORD["transport"]] == TRANSPORT["CALL"]:
        return "STATE"
    return None


def control_in_range(name, value, slots):
    """Whether a register has a value that it can have (R-IMG-16)."""
    tables = {"EPOCH_REASON": EPOCH, "AREA_STATE": AREA, "PMI_LINE": LINE}
    if name in tables:
        return value in tables[name].values()
    if name == "EPOCH":
        return 0 < value <= MAX_EPOCH
    if name == "PMI" and value & 0xFF not in PMI.values():
        return False
    if name in ("OPENED", "ENABLED", "PENDING"):
        return not value >> slots
    return not value & ~CONTROL[REG[name]][1]


def attr_in_range(name, value, floor):
    """Whether an attr word has a value that it can have (R-IMG-16)."""
    if name == "type" and value > 4 or name == "link" and value & 0x3F > 62:
        return False
    if name == "sample_period" and 0 < value < floor:
        return False
    return not value & ~ATTR[ATTR_WORD[name]][1]


def event_in_range(name, value):
    """Whether an event word has a value that it can have (R-IMG-16)."""
    if name == "status":
        return (not value & 1 and value >> 32 & 0xFF in STATE.values()
                and value >> 40 & 0xFF in REASON.values() and not value >> 48 & ~ALL_FLAGS)
    return name != "period_left" or value <= LAST_LEFT


def prove_vcpu(image, vcpu):
    """Look at a vCPU as a whole (R-IMG-17 to R-IMG-26)."""
    def refuse(word, slot=None):
        raise Refusal("STATE", vcpu.offset, word, vcpu.record, vcpu.number, slot)

    word = control_fault(image, vcpu)
    if word:
        refuse(word)
    for slot in sorted({*vcpu.open_slots(), *vcpu.attr, *vcpu.event}):
        word = slot_fault(image, vcpu, slot)
        if word:
            refuse(word, slot)
    enabled = [slot for slot in vcpu.open_slots() if vcpu.register("ENABLED") >> slot & 1]
    if not image.granted("features") & FEATURE["FLEXIBLE"]:
        if vcpu.counters(enabled) > image.counting:
            refuse("ENABLED")
    line = vcpu.register("PMI_LINE")
    if vcpu.register("PMI") & 0xFF != PMI["OFF"]:
        if line == (LINE["IDLE"] if driven(vcpu) else LINE["TO_INJECT"]):
            refuse("PMI_LINE")


def driven(vcpu):
    """Whether a pending slot has the flag PMI (R-PMI-1)."""
    return any(vcpu.register("PENDING") >> slot & 1
               and vcpu.attr_words(slot)[ATTR_WORD["flags"]] & ATTR_FLAG["PMI"]
               for slot in vcpu.open_slots())


def pmi_allowed(value, features):
    """Whether a guest could have written this to PMI (R-PMI-8)."""
    mode, vector = value & 0xFF, value >> 8
    needed = {PMI["OFF"]: 0, PMI["NMI"]: FEATURE["PMI_NMI"], PMI["VECTOR"]: FEATURE["PMI_VECTOR"]}
    if needed[mode] & ~features:
        return False
    return vector >= 32 if mode == PMI["VECTOR"] else vector == 0


def control_fault(image, vcpu):
    """Return the register that is wrong beside the others, or None (R-IMG-17)."""
    features, area, opened = image.granted(
        "features"), vcpu.register("AREA"), vcpu.register("OPENED")
    if area and not (area & 1 and features & FEATURE["AREA"]):
        return "AREA"
    if (vcpu.register("AREA_STATE") == AREA["ON"]) != bool(area & 1):
        return "AREA_STATE"
    if not pmi_allowed(vcpu.register("PMI"), features):
        return "PMI"
    if vcpu.register("PMI") & 0xFF == PMI["OFF"] and vcpu.register("PMI_LINE") != LINE["IDLE"]:
        return "PMI_LINE"
    return next((name for name in ("ENABLED", "PENDING") if vcpu.register(name) & ~opened), None)


def slot_fault(image, vcpu, slot):
    """Return the word of a slot that is wrong beside the others, or None (R-IMG-18 to R-IMG-24)."""
    words = dict(zip(EVENT_WORD, vcpu.event_words(slot)))
    state, reason = words["status"] >> 32 & 0xFF, words["status"] >> 40 & 0xFF
    flags, pending = words["status"] >> 48, vcpu.register("PENDING") >> slot & 1
    opened = vcpu.register("OPENED") >> slot & 1
    enabled = vcpu.register("ENABLED") >> slot & 1
    states = COUNTING if enabled else (STATE["STOPPED"],)
    if not (state in states or state == STATE["ERROR"] if opened else state == STATE["CLOSED"]):
        return "status"
    if opened and reason not in REASONS[state]:
        return "status"
    if words["time_running"] > words["time_enabled"]:
        return "time_running"
    multiplexed = words["time_running"] < words["time_enabled"]
    if (bool(flags & EVENT_FLAG["MULTIPLEXED"]) != multiplexed
            or bool(flags & EVENT_FLAG["LOWER_BOUND"]) != (state in COUNTING)
            or opened and flags & EVENT_FLAG["REARM"] and not pending):
        return "status"
    unannounced = min(words["lost"] + pending, U64)
    if unannounced > words["count"]:
        return "lost"
    if image.level >= 2 and not unannounced <= words["overflows"] <= words["count"]:
        return "overflows"
    return open_slot_fault(image, vcpu, slot, words) if opened else None


def open_slot_fault(image, vcpu, slot, words):
    """Return the word of an open slot that is wrong, or None (R-IMG-22 to R-IMG-24)."""
    attr = vcpu.attr_words(slot)
    period, left = attr[ATTR_WORD["sample_period"]], words["period_left"]
    rearm = words["status"] >> 48 & EVENT_FLAG["REARM"]
    if bool(left) != bool(period) or left > period and not rearm:
        return "period_left"
    if event_reason(attr, image.grants()):
        return "type"
    leader = vcpu.leader(slot)
    if not attr[ATTR_WORD["flags"]] & ATTR_FLAG["MEMBER"]:
        return "link" if vcpu.counters(vcpu.group(slot)) > image.counting else None
    if not vcpu.register("OPENED") >> leader & 1 or vcpu.leader(leader) != leader or leader == slot:
        return "link"
    enabled = vcpu.register("ENABLED")
    if (enabled >> slot ^ enabled >> leader) & 1:
        return "ENABLED"
    lead = dict(zip(EVENT_WORD, vcpu.event_words(leader)))
    if (lead["status"] ^ words["status"]) >> 32 & 0xFFFF:
        return "status"
    return next((name for name in ("time_enabled", "time_running") if lead[name] != words[name]),
                None)


def read(data):
    """Prove an image and return it; raises Refusal."""
    return Reader(bytes(data)).read()


# ---- writing -------------------------------------------------------------------------------------

def record(kind, bank, first, vcpu, words):
    """Return the bytes of a record."""
    head = kind | bank << 8 | first << 16 | len(words) << 32
    return struct.pack(f"<{2 + len(words)}Q", head, vcpu, *words)


def vcpu_records(vcpu, level):
    """Yield the records of a vCPU (R-IMG-9, R-IMG-12)."""
    yield record(RECORD["REGISTERS"], 0, FIRST, vcpu.number, vcpu.control)
    size = sum(since <= level for _, since in EVENT)
    for slot in range(MAX_SLOTS):
        for at, words in ((0, vcpu.attr_words(slot)), (EVENT_AT, vcpu.event_words(slot)[:size])):
            if any(words):
                yield record(RECORD["REGISTERS"], 0, STRIDE * (slot + 1) + at, vcpu.number, words)
    for bank, pairs in sorted(vcpu.banks.items()):
        yield record(RECORD["REGISTERS"], bank, 0, vcpu.number, [w for pair in pairs for w in pair])


def write(image):
    """Return the bytes of an image, of which there is one form."""
    records = [record(RECORD["VM"], 0, 0, 0, image.vm)]
    for vcpu in image.vcpus:
        records += vcpu_records(vcpu, image.level)
    records += [struct.pack(f"<{2 + len(words)}Q", head, vcpu, *words)
                for head, vcpu, words in image.kept]
    records.append(record(RECORD["END"], 0, 0, 0, []))
    body = b"".join(records)
    header = struct.pack(
        "<8Q", MAGIC, HEADER_BYTES | image.version << 16 | READER << 32 | image.kind << 48,
        HEADER_BYTES + len(body), image.architecture | image.level << 32, must_of(image), image.may,
        len(image.vcpus) | len(records) << 32, 0)
    return mended(header + body)


# ---- levels (section 7) --------------------------------------------------------------------------

class Loss(Exception):
    """A word that a lower level does not have is not 0: its place."""

    def __init__(self, place):
        super().__init__(str(place))
        self.place = place


def convert(data, level, accept_loss=False):
    """Return an image written for a level that is not above its own (R-IMG-27)."""
    image = read(data)
    if not 1 <= level <= image.level:
        raise ValueError("no such level, or one above the image's")
    size = sum(since <= level for _, since in EVENT)
    if not accept_loss:
        for place in lost_words(data, size):
            raise Loss(place)
    image.level = level
    for vcpu in image.vcpus:
        vcpu.event = {slot: words[:size] for slot, words in vcpu.event.items()}
    return write(image)


def lost_words(data, size):
    """Yield the places of words other than 0 that event records of a size do not have."""
    offset, number = HEADER_BYTES, 0
    while offset < len(data):
        head, vcpu = struct.unpack_from("<2Q", data, offset)
        words = struct.unpack_from(f"<{head >> 32}Q", data, offset + 16)
        first = head >> 16 & 0x7FFF
        event = head & 0xFFFF == RECORD["REGISTERS"] and first % STRIDE == EVENT_AT
        if event and not head & OPTIONAL:
            for place in range(size, len(words)):
                if words[place]:
                    yield {"record": number, "offset": offset + 16 + 8 * place, "vcpu": vcpu,
                           "slot": first // STRIDE - 1, "word": EVENT[place][0]}
        offset += 16 + 8 * len(words)
        number += 1


# ---- the destination (section 5) -----------------------------------------------------------------

def compare(image, profile=None, platform=None, facts=None, missing="STRICT"):
    """Hold an image against a destination (R-MIG-1, R-MIG-2, R-MIG-5); raises Refusal.

    profile, platform and facts are members of the structs of the same names; what is None is not
    compared.
    """
    compare_platform(image, profile, platform)
    if profile:
        beyond = beyond_profile(image, profile)
        if beyond:
            raise Refusal("PROFILE", vm_offset(beyond), beyond, 0)
    if facts and missing == "STRICT":
        for vcpu, slot, verdict, reason in fares(image, facts):
            if verdict == "MISSING" and reason == REASON["NOT_PORTABLE"]:
                raise Refusal("EVENT", vcpu.offset, "type", vcpu.record, vcpu.number, slot)


def vm_offset(word):
    """Return where a word of VM is."""
    return HEADER_BYTES + 16 + 8 * VM_WORD[word]


def compare_platform(image, profile, platform):
    """Refuse another platform (R-MIG-1)."""
    if (platform and platform["architecture"] != image.architecture
            or profile and profile["level"] != image.level):
        raise Refusal("PLATFORM", HEADER_AT["vm"], "vm")
    for word in ("transport", "base", "line") if platform else ():
        if image.granted(word) != platform[word]:
            raise Refusal("PLATFORM", vm_offset(word), word, 0)


def beyond_profile(image, profile):
    """Return the first word of VM that is beyond a profile, or None (R-MIG-2)."""
    limits = image.granted("limits")
    fields = {"slots": limits & 0xFF, "counting": limits >> 8 & 0xFF,
              "batch_words": limits >> 16 & 0xFFFF, "slot_operations": limits >> 32}
    beyond = {
        "features": image.granted("features") & ~profile["features"],
        "limits": any(value > profile[name] for name, value in fields.items()),
        "period_floor": image.granted("period_floor") < profile["period_floor"],
        "pmu_model": image.granted("pmu_model") not in (0, profile["pmu_model"]),
        "hardware_events": image.granted("hardware_events") & ~profile["hardware_events"],
        "software_events": image.granted("software_events") & ~profile["software_events"],
        "cache_events": image.granted("cache_events") > profile["cache_events"]}
    return next((name for name, wrong in beyond.items() if wrong), None)


def fares(image, facts):
    """Yield vCPU, slot, verdict and reason of every open event at a host (R-MIG-15)."""
    for vcpu in image.vcpus:
        slots = vcpu.open_slots()
        gone = {slot for slot in slots if not countable(vcpu.attr_words(slot), facts)}
        broken = {vcpu.leader(slot) for slot in gone}
        contending = {slot for slot in slots if vcpu.register("ENABLED") >> slot & 1
                      and vcpu.counters([slot])}
        short = facts["counters"] and len(contending) > facts["counters"]
        for slot in slots:
            verdict = ("MISSING", "NOT_PORTABLE") if slot in gone else (
                "MISSING", "BAD_GROUP") if vcpu.leader(slot) in broken else (
                "DEGRADED", "STARVED") if short and slot in contending else ("OK", "NONE")
            yield vcpu, slot, verdict[0], REASON[verdict[1]]


# ---- description ---------------------------------------------------------------------------------

def named(names, words):
    """Return words by their names, without those that are 0."""
    return {name: hex(word) for name, word in zip(names, words) if word}


def describe(data):
    """Return an image as plain data: words by their names, those of slots where they are not 0."""
    image, field = read(data), info(data)
    vcpus = [{
        "id": vcpu.number,
        "registers": {name: hex(value) for name, value in zip(SAVED, vcpu.control)},
        "slots": {str(slot): {**named(ATTR_NAMES, vcpu.attr_words(slot)),
                              **named(EVENT_WORD, vcpu.event_words(slot))}
                  for slot in sorted({*vcpu.attr, *vcpu.event})},
        "banks": {name: [[hex(index), hex(value)] for index, value in vcpu.banks[bank]]
                  for name, bank in BANK.items() if bank in vcpu.banks}} for vcpu in image.vcpus]
    return {"header": {name: hex(value) for name, value in field.items()},
            "vm": {name: hex(word) for (name, _), word in zip(VM, image.vm)},
            "vcpus": vcpus,
            "kept": [[hex(head), hex(vcpu), [hex(word) for word in words]]
                     for head, vcpu, words in image.kept]}
