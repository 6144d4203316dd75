# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Section 8: batches."""

from vpmu_author import case, head, reads, writes
from vpmu_numbers import MAGIC, OP, REG

TOPIC = "batch"


@case(TOPIC, "R-BAT-1 R-BAT-2 R-BAT-3", "open and enable a group of four in one access")
def open_and_enable(t):
    entries = [writes(f"{n}.type", 1, 1 + n, 0, 0, 0, 8 if n else 0) for n in range(4)]
    t.batch(*entries, writes("OPEN", 15), writes("ENABLE", 15), reads("OPENED", 2),
            results=[("DONE", 0)] * 7, values={40: 15, 41: 15})
    t.calls(open=1, run=1, read=1)
    for slot in range(4):
        t.slot(slot, "ACTIVE")


@case(TOPIC, "R-BAT-3", "a fresh read of everything in one access")
def fresh_read(t):
    t.event(0)
    t.event(1)
    t.running(0, 1)
    t.count(0, 100)
    t.count(1, 200)
    t.batch(writes("SYNC", 3), reads("0.count", 1), reads("1.count", 1),
            results=[("DONE", 0)] * 3, values={5: 100, 8: 200})


@case(TOPIC, "R-BAT-3", "what the guest had as result and detail is ignored")
def old_results(t):
    words = [head(OP["WRITE"], "0.cookie", 1, result=0xFFFF), 0xDEAD, 5]
    t.batch(words, words, results=[("DONE", 0)] * 2)
    t.has(**{"0.cookie": 5})


@case(TOPIC, "R-BAT-2", "write entries come back as they were, also with values that were refused")
def words_come_back(t):
    t.batch(writes("0.type", 1, 2, 0, 0, 5, 0xFF, 0, 9), results=[("REFUSED", 6)],
            values={2: 1, 3: 2, 6: 5, 7: 0xFF, 9: 9})


@case(TOPIC, "R-BAT-2 R-BAT-9", "the write-back fails: the accesses stand")
def no_write_back(t):
    t.step("fail", operation="write", times=1)
    t.batch(writes("0.cookie", 5), reads("0.cookie", 1), values={5: 0})
    t.has(**{"0.cookie": 5})


@case(TOPIC, "R-BAT-4 R-BAT-8", "a malformed entry stops the batch there", each=[0, 1, 2])
def stops(t, place):
    entries = [writes("0.cookie", 1), writes("1.cookie", 2), writes("2.cookie", 3)]
    entries[place] = writes(30, 9)
    results = [("DONE", 0)] * place + [("MALFORMED", 3 * place + 2)]
    results += [("NOT_RUN", 0)] * (2 - place)
    t.batch(*entries, results=results)
    for slot in range(3):
        t.has(**{f"{slot}.cookie": slot + 1 if slot < place else 0})




@case(TOPIC, "R-BAT-4", "a malformed entry makes none of its accesses")
def all_or_none(t):
    t.batch(writes("RESET", 0), results=[("MALFORMED", 2)])
    t.batch(writes("0.cookie", 5, *[0] * 24), results=[("REFUSED", 3)])
    t.has(**{"0.cookie": 5})
    t.batch(writes("3.cookie", 5, *[0] * 25), results=[("MALFORMED", 27)])
    t.has(**{"3.cookie": 0})


@case(TOPIC, "R-BAT-5", "a head in the last word is ignored", each=["alone", "after"])
def last_word(t, where):
    if where == "alone":
        alone = head(OP["READ"], "MAGIC", 0, result=7)
        t.batch([alone], values={0: alone})
        return
    tail = head(OP["WRITE"], "0.cookie", 1, result=9)
    t.batch(reads("MAGIC", 1), results=[("DONE", 0)], tail=[tail], values={2: MAGIC, 3: tail})


@case(TOPIC, "R-BAT-5 R-BAT-4", "an entry of head and detail alone is malformed")
def two_words(t):
    t.batch(reads("MAGIC", 1), [head(OP["READ"], "MAGIC", 1), 9],
            results=[("DONE", 0), ("MALFORMED", 3)])


@case(TOPIC, "R-BAT-6", "refused before failed slots, failed slots before done")
def precedence(t):
    t.batch(writes("OPEN", 1), results=[("SLOTS_FAILED", 1)])
    t.batch(writes("OPEN", 1, 2, 0), results=[("SLOTS_FAILED", 3)])
    t.batch(writes("OPEN", 1, 2, 1 << 20), results=[("REFUSED", 4)])
    t.batch(writes("OPEN", 0, 0, 0, 0, 0, 0, 0, 0), results=[("DONE", 0)])


@case(TOPIC, "R-BAT-6 R-MASK-3", "the detail is the union of the failed masks")
def union(t):
    t.event(0)
    t.event(1)
    t.opened(0, 1)
    t.batch(writes("OPEN", 1, 8), results=[("SLOTS_FAILED", 9)])
    t.batch(writes("CLOSE", 5, 10, 4), results=[("SLOTS_FAILED", 12)])


@case(TOPIC, "R-BAT-7 R-BAT-8", "past the slot operations of one access: AGAIN, with the place")
def again(t):
    for slot in range(4):
        t.event(slot)
    t.opened(0, 1, 2, 3)
    sync = [15] * 1
    entry = [head(OP["WRITE"], "SYNC", 1), 0, *sync]
    t.batch(*([entry] * 17), results=[("DONE", 0)] * 15 + [("AGAIN", 47), ("NOT_RUN", 0)])
    t.slot(0, sequence=2 + 2 * 15)


@case(TOPIC, "R-BAT-7", "the limit itself may be reached")
def to_the_limit(t):
    for slot in range(3):
        t.event(slot)
    t.opened(0, 1, 2)
    t.batch(*([writes("SYNC", 7)] * 21), results=[("DONE", 0)] * 21)
    t.slot(0, sequence=2 + 2 * 21)


@case(TOPIC, "R-BAT-7", "in the middle of an entry: the words before it stand")
def again_in_entry(t):
    t.event(0)
    t.opened(0)
    t.batch(*([writes("SYNC", 15)] * 15), writes("ENABLE", 3, 1, 15), writes("0.cookie", 7),
            results=[("SLOTS_FAILED", 14)] * 15 + [("AGAIN", 49), ("NOT_RUN", 0)])
    t.slot(0, "STOPPED", sequence=2 + 2 * 15 + 4)
    t.has(ENABLED=0, **{"0.cookie": 0})


@case(TOPIC, "R-BAT-7",
      "a period written to an open slot is an operation, to a closed one it is none")
def period_costs(t):
    t.event(0)
    t.opened(0)
    t.batch(*([writes("SYNC", 15)] * 15), writes("1.sample_period", 100),
            writes("0.sample_period", 100), results=[("SLOTS_FAILED", 14)] * 15 + [
                ("DONE", 0), ("DONE", 0)])
    t.has(**{"0.sample_period": 100, "1.sample_period": 100})
    t.batch(*([writes("SYNC", 7)] * 20), writes("0.sample_period", 110, 0),
            results=[("SLOTS_FAILED", 6)] * 20)




@case(TOPIC, "R-BAT-7", "one slot of a group stands for all of them")
def group_costs(t):
    t.event(0)
    for slot in (1, 2, 3):
        t.event(slot, flags="MEMBER", leader=0)
    t.opened(0, 1, 2, 3)
    t.batch(*([writes("SYNC", 2)] * 16), results=[("DONE", 0)] * 15 + [("AGAIN", 47)])
    t.slot(0, sequence=2 + 2 * 15)


@case(TOPIC, "R-BAT-7", "one more than the limit, by a period")
def period_again(t):
    t.event(0)
    t.opened(0)
    t.batch(*([writes("SYNC", 7)] * 19), writes("0.sample_period", 100),
            results=[("SLOTS_FAILED", 6)] * 19 + [("DONE", 0)])
    t.batch(*([writes("ACK", 15)] * 15), writes("ACK", 7), writes("0.sample_period", 120),
            results=[("DONE", 0)] * 16 + [("AGAIN", 50)])
    t.has(**{"0.sample_period": 100})


@case(TOPIC, "R-BAT-8",
      "the first result tells whether anything was run", profile={"batch_words": 4})
def nothing_run(t):
    t.batch(writes("0.cookie", 1), writes("0.cookie", 2), outcome="refused",
            results=[("NOT_RUN", 0), ("NOT_RUN", 0)])


@case(TOPIC, "R-BAT-1",
      "the shortest and the longest batch", profile={"batch_words": 4095, "slots": 63})
def lengths(t):
    t.write("KICK", 1 << 52 | 0x10000)
    t.batch([head(OP["READ"], 32, 32 * 63), 0] + [0] * (32 * 63),
            [head(OP["READ"], 32, 32 * 63), 0] + [0] * (32 * 63),
            results=[("DONE", 0)] * 2, tail=[0] * (4095 - 4036))
    t.write("KICK", 4095 << 52 | 0x18000)
    t.refused("KICK", 4095 << 52 | 0x18010)


@case(TOPIC, "R-BAT-3 R-ACC-4", "entries over control registers of all kinds")
def kinds(t):
    t.batch(reads("MAGIC", 28), results=[("DONE", 0)], values={2: MAGIC, 3: 1})
    t.batch(writes("PMI", 1), writes("ACK", 0), writes("PMI_LINE", 0),
            results=[("DONE", 0), ("DONE", 0), ("REFUSED", 8)])
    t.has(PMI=1)


@case(TOPIC, "R-BAT-3", "each entry sees what the ones before it did")
def in_order(t):
    t.batch(writes("0.type", 1, 2), writes("OPEN", 1), reads("OPENED", 1), writes("CLOSE", 1),
            reads("OPENED", 1), writes("OPEN", 1), reads("0.continuity", 1),
            values={9: 1, 15: 0, 21: 2 | 1 << 32})


@case(TOPIC, "R-ACC-7 R-BAT-3",
      "a batch inside a batch's time: the words of another page are not touched")
def other_page(t):
    t.step("poke", address="0x11000", words=["0x1", "0x2"])
    t.batch(writes("0.cookie", 5), at=0x11008, results=[("DONE", 0)])
    t.peek(0x11000, 1)


@case(TOPIC, "R-BAT-4", "a barred register behind one that may be written", each=["AREA", "KICK"])
def barred_amid(t, name):
    first = REG[name] - 1
    t.batch([head(OP["WRITE"], first, 2), 0, 0, 0], results=[("MALFORMED", 3)])
