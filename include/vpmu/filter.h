/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file filter.h
 * @brief KVM's filter of the events that guests may count with its own vPMU (x86): building one
 * from events, and what KVM makes of it.
 *
 * A VMM that leaves KVM's vPMU on, beside this library's device or without it, can say with
 * KVM_SET_PMU_EVENT_FILTER which events guests may count. Pure functions without state and without
 * allocation; vpmu_kvm_event_filter_set() (kvm.h) hands the filter to KVM.
 *
 * **What KVM looks at.** Of an event-select register KVM compares the event select (bits 7:0, on
 * AMD also 35:32) and the unit mask (bits 15:8). It sees no edge, inversion or counter mask: two
 * events that differ only in these are allowed or denied together. Fixed counters of Intel obey a
 * bitmap and nothing else. Sources: Documentation/virt/kvm/api.rst of Linux,
 * KVM_SET_PMU_EVENT_FILTER; arch/x86/kvm/pmu.c.
 *
 * **What a guest sees of it.** A denied event is not refused: its selector reads back as written,
 * and its counter stands still. A guest's kernel prefers fixed counters, so an event that is
 * allowed on one kind of counter and denied on the other would read 0 at times. vpmu_filter_build()
 * therefore lets a fixed counter follow its event, and reports where the two differ.
 *
 * A filter may be replaced while the VM runs. It is no part of what KVM lets a VMM save: source and
 * destination of a migration must set the same one.
 * @since 0.1
 */
#ifndef VPMU_FILTER_H
#define VPMU_FILTER_H

#include <stdint.h>

#include <vpmu/error.h>
#include <vpmu/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most entries of a filter (arch/x86/kvm/pmu.c: KVM_PMU_EVENT_FILTER_MAX_EVENTS). */
#define VPMU_FILTER_ENTRIES 300
/** Most events of a request, of each of its lists. */
#define VPMU_FILTER_REQUEST_EVENTS 4096
/** No event or entry. */
#define VPMU_FILTER_NO_EVENT UINT32_MAX

/** What becomes of the events that match a filter. */
enum vpmu_filter_action {
	VPMU_FILTER_ALLOW = 0, /**< they may be counted, all others not */
	VPMU_FILTER_DENY = 1,  /**< they may not be counted, all others may */
};

/** Flags of a filter and of a request. */
enum vpmu_filter_flag {
	VPMU_FILTER_MASKED = 1, /**< masked entries (Linux 6.3, KVM_CAP_PMU_EVENT_MASKED_EVENTS) */
};

/** Whose CPU: it decides which bits of a register make the event select. */
enum vpmu_filter_vendor {
	VPMU_FILTER_INTEL = 1, /**< bits 7:0; has fixed counters */
	VPMU_FILTER_AMD = 2,   /**< bits 7:0 and 35:32, also Hygon; has no fixed counters */
};

/** A filter; laid out as struct kvm_pmu_event_filter with room for the most entries. */
struct vpmu_filter {
	uint32_t action;	 /**< enum vpmu_filter_action */
	uint32_t count;		 /**< entries, at most VPMU_FILTER_ENTRIES */
	uint32_t fixed_counters; /**< bit n: fixed counter n is allowed (ALLOW), or denied (DENY) */
	uint32_t flags;		 /**< 0 or VPMU_FILTER_MASKED */
	uint32_t padding[4];	 /**< 0 */
	/**
	 * Plain: event select and unit mask, in the places of the register. Masked: also bits
	 * 63:56, those bits of a unit mask that must be as in 15:8, and bit 55, the entry takes
	 * events out.
	 */
	uint64_t entries[VPMU_FILTER_ENTRIES];
};

/** One event, or several unit masks of one event select. */
struct vpmu_filter_event {
	/**
	 * event select and unit mask in the places of the register. On Intel event select 0 with
	 * unit mask 1 to 4 means fixed counter 0 to 3: INST_RETIRED.ANY, CPU_CLK_UNHALTED.THREAD,
	 * CPU_CLK_UNHALTED.REF_TSC, TOPDOWN.SLOTS
	 */
	uint64_t code;
	uint64_t any; /**< bits of the unit mask, 15:8, that may have any value; they are 0 in code */
};

/** What a filter is to do. */
struct vpmu_filter_request {
	uint64_t size; /**< sizeof(struct vpmu_filter_request) as the caller knows it */
	const struct vpmu_filter_event *events; /**< array of event_count, read only; NULL when 0 */
	const struct vpmu_filter_event
		*except;       /**< array of except_count: taken out of events; NULL when 0 */
	uint32_t event_count;  /**< 0 to VPMU_FILTER_REQUEST_EVENTS */
	uint32_t except_count; /**< 0 to VPMU_FILTER_REQUEST_EVENTS */
	uint32_t vendor;       /**< enum vpmu_filter_vendor */
	uint32_t action;       /**< enum vpmu_filter_action, of what is left of events */
	uint32_t flags; /**< VPMU_FILTER_MASKED: the filter may have masked entries; else 0 */
	uint32_t fixed_counters; /**< bit n: fixed counter n besides those that events name; AMD: 0 */
};

/** What a call found. */
struct vpmu_filter_report {
	uint64_t size;	    /**< in: sizeof(struct vpmu_filter_report) as the caller knows it */
	const char *reason; /**< one sentence, what is wrong; "" without an error; constant */
	/** the event or entry that is wrong or dropped first, or the event at which there was no
	 * room left */
	uint64_t code;
	uint32_t index;	  /**< its place in events, except or entries; or VPMU_FILTER_NO_EVENT */
	uint32_t dropped; /**< check: plain entries that KVM would take and never match */
	/** bit n: fixed counter n and the same event on other counters are treated differently
	 * (Intel: 0, 1 and 3) */
	uint32_t apart;
	uint32_t reserved; /**< 0 */
};

/**
 * @brief Builds a filter that treats exactly the events of a request as its action says.
 *
 * Entries come in the order of event selects, whatever the order of the request; the same events
 * give the same filter. With VPMU_FILTER_MASKED the unit masks of a select are merged into few
 * entries, where need be into ones that take events out again; never does an entry match an event
 * that was not asked for. Fixed counters 0, 1 and 3 of Intel follow their events on other counters:
 * instructions 0xc0/00, cycles 0x3c/00, slots 0xa4/01.
 * @param request what it is to do
 * @param[out] filter the filter; unchanged on error
 * @param[out] report what is wrong, and apart; NULL: not wanted
 * @return number of entries; VPMU_ERROR_INVALID (a size, count, vendor, action, flag or event is
 * out of range: report); VPMU_ERROR_TOO_BIG; VPMU_ERROR_LIMIT (more than 300 entries are needed:
 * report's code is the event at which they ran out)
 * @par Threads
 * Any. Uses 5 KiB of stack.
 * @since 0.1
 */
VPMU_API int vpmu_filter_build(const struct vpmu_filter_request *request,
			       struct vpmu_filter *filter, struct vpmu_filter_report *report);

/**
 * @brief Whether KVM takes a filter, and how much of it.
 * @param filter the filter
 * @param vendor enum vpmu_filter_vendor, of the host
 * @param[out] report what is wrong; dropped counts entries that KVM takes and never matches; NULL:
 * not wanted
 * @return 0; VPMU_ERROR_INVALID (KVM: EINVAL, for an unknown action or flag, or bits of a masked
 * entry that mean nothing; or an unknown vendor, or the report's size); VPMU_ERROR_LIMIT (KVM:
 * E2BIG, more than 300 entries); VPMU_ERROR_TOO_BIG (report)
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_filter_check(const struct vpmu_filter *filter, uint32_t vendor,
			       struct vpmu_filter_report *report);

/**
 * @brief Whether KVM lets a guest count an event on a programmable counter: a model of KVM's rules.
 *
 * An event is filtered when some entry's event select is its own and the entry's bits of the unit
 * mask agree, and no entry that takes events out does likewise. ALLOW then allows the filtered
 * events, DENY denies them.
 * @param filter the filter; NULL: none is set
 * @param vendor enum vpmu_filter_vendor, of the host
 * @param code value of an event-select register; other bits than those of the event are ignored, as
 * KVM does
 * @return 1 yes; 0 no; an error of vpmu_filter_check()
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_filter_allows(const struct vpmu_filter *filter, uint32_t vendor, uint64_t code);

/**
 * @brief Whether KVM lets a guest count with a fixed counter. Entries have no part in it.
 * @param filter the filter; NULL: none is set
 * @param counter 0 to 31
 * @return 1 yes; 0 no; VPMU_ERROR_INVALID (the counter, or the filter's action)
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_filter_allows_fixed(const struct vpmu_filter *filter, uint32_t counter);

/**
 * @brief Compares a filter with a request: each event that exists (65536 on Intel, 1048576 on AMD)
 * and each fixed counter is put to the model of KVM's rules. For trials and tests: its time is that
 * number times the entries and events.
 * @param request what the filter is to do
 * @param filter the filter
 * @param[out] report the first difference: reason, code, or index of the fixed counter; NULL: not
 * wanted
 * @return 0 when the filter does exactly that; VPMU_ERROR_STATE when it does not; the errors of
 * vpmu_filter_build() and vpmu_filter_check()
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_filter_verify(const struct vpmu_filter_request *request,
				const struct vpmu_filter *filter,
				struct vpmu_filter_report *report);

/**
 * @brief Reads an event: one of vpmu_filter_name_at(), or `r` and hexadecimal digits as perf takes
 * them ("r1c0": event select 0xc0, unit mask 1), with `:*` at its end for all unit masks ("rc4:*").
 * @param vendor enum vpmu_filter_vendor
 * @param text the event; needs no NUL
 * @param length bytes of it
 * @param[out] event the event; unchanged on error
 * @return 0; VPMU_ERROR_INVALID (no such name or vendor, or bits that a filter does not see)
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_filter_parse(uint32_t vendor, const char *text, uint64_t length,
			       struct vpmu_filter_event *event);

/**
 * @brief The generic events of a vendor, named as perf names them.
 *
 * Intel: the architectural events (Intel SDM volume 3, "Architectural Performance Monitoring":
 * unhalted core cycles, instructions, unhalted reference cycles (perf: bus-cycles), last level
 * cache references and misses, branches, branch misses, slots), and ref-cycles of fixed counter 2.
 * AMD: those of family 17h (Zen) and later (arch/x86/events/amd/core.c of Linux).
 * @param vendor enum vpmu_filter_vendor
 * @param index from 0
 * @return a constant name; NULL past the last, or without such a vendor
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API const char *vpmu_filter_name_at(uint32_t vendor, uint32_t index);

#ifdef __cplusplus
}
#endif

#endif
