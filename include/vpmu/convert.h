/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file convert.h
 * @brief Between guest_perf_attr, Linux's perf_event_attr, and the names of events.
 *
 * Pure functions without state and without allocation; abi/CONVERT.md is their specification. A
 * perf_event_attr is handled as bytes in the byte order of the machine, by this library's own table
 * of offsets: the headers of the machine that built it set no limit.
 *
 * vpmu_convert_to_perf() makes what the host's kernel gets. vpmu_convert_from_perf() reads what a
 * guest's kernel, or a tool, wants counted, and says of each field whether a guest may ask for it.
 * The two are not inverse to each other: the host sets fields that a guest must not set.
 * @since 0.1
 */
#ifndef VPMU_CONVERT_H
#define VPMU_CONVERT_H

#include <stdint.h>

#include <vpmu/abi.h>
#include <vpmu/error.h>
#include <vpmu/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of the newest perf_event_attr that is known, version 9. */
#define VPMU_CONVERT_ATTR_SIZE 144
/** Room for any text of vpmu_convert_name(), in bytes, with its final NUL. */
#define VPMU_CONVERT_NAME_SIZE 32
/** No field of perf_event_attr. */
#define VPMU_CONVERT_NO_FIELD UINT32_MAX

/** Flags of a conversion. */
enum vpmu_convert_flag {
	VPMU_CONVERT_RAW = 1,		/**< raw events are allowed */
	VPMU_CONVERT_HOST_SOFTWARE = 2, /**< host-software events are allowed */
	VPMU_CONVERT_SIBLING = 4,	/**< to perf: not the leader of its group */
	VPMU_CONVERT_PINNED = 8,	/**< to perf: the group holds its counters or is starved */
	VPMU_CONVERT_EXCLUDE_HOST = 16, /**< to perf: count guest code only; the PMU honours it */
	VPMU_CONVERT_KERNEL =
		32, /**< from perf: the caller is a driver under a guest's perf core */
};

/** What becomes of a field of perf_event_attr that a guest sets to other than 0. */
enum vpmu_convert_verdict {
	VPMU_CONVERT_ACCEPT = 0,   /**< part of the event */
	VPMU_CONVERT_DROP = 1,	   /**< accepted, not passed on */
	VPMU_CONVERT_REFUSE = 2,   /**< cannot be done for a guest: VPMU_ERROR_UNSUPPORTED */
	VPMU_CONVERT_NEVER = 3,	   /**< would reach into the host: VPMU_ERROR_DENIED */
	VPMU_CONVERT_RESERVED = 4, /**< has no meaning yet: VPMU_ERROR_INVALID */
};

/** Who decides a field of the perf_event_attr that is made for the host. */
enum vpmu_convert_origin {
	VPMU_CONVERT_ZERO = 0,	/**< nobody: it is always 0 */
	VPMU_CONVERT_GUEST = 1, /**< the guest, within what it is allowed */
	VPMU_CONVERT_HOST = 2,	/**< the host alone */
};

/** One field, or one flag, of perf_event_attr. */
struct vpmu_convert_field {
	uint64_t size;	    /**< in: sizeof(struct vpmu_convert_field) as the caller knows it */
	const char *name;   /**< as the kernel spells it; constant */
	const char *reason; /**< one sentence, why the verdict is so; constant */
	uint32_t offset;    /**< of its word, bytes from the start of the struct */
	uint32_t width;	    /**< bits */
	uint32_t first_bit; /**< lowest bit within its word; as on little-endian machines */
	uint32_t version;   /**< first version of the struct that has it, 0 to 9 */
	uint32_t verdict;   /**< enum vpmu_convert_verdict */
	uint32_t kernel_verdict; /**< the same with VPMU_CONVERT_KERNEL */
	uint32_t origin;	 /**< enum vpmu_convert_origin */
	uint32_t reserved;	 /**< 0 */
};

/** What a conversion found. */
struct vpmu_convert_report {
	uint64_t size;	    /**< in: sizeof(struct vpmu_convert_report) as the caller knows it */
	uint64_t supported; /**< bytes of the newest perf_event_attr known, VPMU_CONVERT_ATTR_SIZE */
	uint64_t dropped[2]; /**< bits 1 << field, 64 to a word: accepted and not passed on */
	const char *name;    /**< of the field, word or option that is wrong; "" without an error */
	const char *reason;  /**< one sentence, why; "" without an error; constant */
	uint32_t field;	     /**< index for vpmu_convert_field_at(), or VPMU_CONVERT_NO_FIELD */
	uint32_t verdict;    /**< enum vpmu_convert_verdict: the worst that was found */
	uint32_t enable;     /**< from perf: 1 when the event is to count at once (disabled is 0) */
	uint32_t reserved;   /**< 0 */
};

/** What the host decides of a perf_event_attr. */
struct vpmu_convert_to {
	uint64_t size;	       /**< sizeof(struct vpmu_convert_to) as the caller knows it */
	uint64_t bytes;	       /**< size of the struct to make: 64, 72, 80, 96, 104 or any later; 0:
				newest */
	uint64_t left;	       /**< counts until the first overflow, below 2^63; 0: never */
	uint64_t read_format;  /**< PERF_FORMAT_* wanted, bits 4:0 */
	uint64_t config_mask;  /**< bits that config of a raw event may have; all ones: any */
	uint64_t config1_mask; /**< the same of config1 */
	uint64_t config2_mask; /**< the same of config2 */
	uint32_t flags;	    /**< VPMU_CONVERT_RAW, HOST_SOFTWARE, SIBLING, PINNED, EXCLUDE_HOST */
	uint32_t pmu_type;  /**< hybrid hosts: the kernel's number of the PMU to count on; 0: any */
	uint32_t pmu_model; /**< model that raw events must name; 0: checked already */
	uint32_t wakeup_events; /**< overflows for each wake-up of a mapped ring; 0: without one */
};

/** What a guest may ask for. */
struct vpmu_convert_from {
	uint64_t size; /**< sizeof(struct vpmu_convert_from) as the caller knows it */
	uint64_t left; /**< with KERNEL: period of a sampling event as the perf core keeps it */
	uint64_t config_mask;  /**< bits that config of a raw event may have; all ones: any */
	uint64_t config1_mask; /**< the same of config1 */
	uint64_t config2_mask; /**< the same of config2 */
	uint32_t flags;	       /**< VPMU_CONVERT_RAW, HOST_SOFTWARE, KERNEL */
	uint32_t pmu_type;     /**< the guest kernel's number of the driver's own PMU; 0: none */
	uint32_t pmu_model;    /**< register PMU_MODEL, for the link of raw events */
	uint32_t reserved;     /**< 0 */
};

/** Kinds of PMUs that treat the exclude flags alike. */
enum vpmu_convert_pmu {
	VPMU_CONVERT_PMU_X86_CORE = 0,	 /**< x86 core PMUs of Intel and AMD */
	VPMU_CONVERT_PMU_AMD_IBS = 1,	 /**< AMD IBS, without its software filter */
	VPMU_CONVERT_PMU_NO_EXCLUDE = 2, /**< PMUs marked so by the kernel: msr, uncore, power */
	VPMU_CONVERT_PMU_ARM64_VHE = 3,	 /**< arm64, the host's kernel in EL2 */
	VPMU_CONVERT_PMU_ARM64_NVHE = 4, /**< arm64, the host's kernel in EL1 */
	VPMU_CONVERT_PMU_LOONGARCH = 5,	 /**< LoongArch */
	VPMU_CONVERT_PMU_SOFTWARE = 6,	 /**< the kernel's software events */
};

/** Whose PMU a selector is for. */
enum vpmu_convert_model {
	VPMU_CONVERT_MODEL_INTEL = 1, /**< Intel's architectural PMU */
	VPMU_CONVERT_MODEL_AMD = 2,   /**< AMD's core counters, family 17h and later, also Hygon */
	VPMU_CONVERT_MODEL_LOONGARCH = 3, /**< LoongArch, as LA464 and LA664 */
};

/** No fixed counter counts the event. */
#define VPMU_CONVERT_NO_FIXED UINT32_MAX

/** An event as the registers of a PMU name it. */
struct vpmu_convert_selector {
	uint64_t size;	/**< in: sizeof(struct vpmu_convert_selector) as the caller knows it */
	uint64_t event; /**< bits of the selector that name the event; filters and enable bits are
			 0 */
	uint32_t fixed; /**< fixed counter that counts it, or VPMU_CONVERT_NO_FIXED */
	uint32_t only_fixed; /**< 1: no general counter does */
};

/** What a caller wants excluded. */
enum vpmu_convert_exclusion {
	VPMU_CONVERT_EXCLUDES_USER = 1,	  /**< exclude_user */
	VPMU_CONVERT_EXCLUDES_KERNEL = 2, /**< exclude_kernel */
	VPMU_CONVERT_EXCLUDES_HV = 4,	  /**< exclude_hv */
	VPMU_CONVERT_EXCLUDES_IDLE = 8,	  /**< exclude_idle */
	VPMU_CONVERT_EXCLUDES_HOST = 16,  /**< exclude_host */
	VPMU_CONVERT_EXCLUDES_GUEST = 32, /**< exclude_guest */
};

/** What the kernel makes of it. */
enum vpmu_convert_honesty {
	VPMU_CONVERT_HONOURED = 0, /**< it is not counted */
	VPMU_CONVERT_IGNORED = 1,  /**< the event opens and counts it all the same */
	VPMU_CONVERT_REFUSED = 2,  /**< the event does not open */
};

/**
 * @brief Makes the perf_event_attr of an event for the host's kernel.
 *
 * The result counts the event of attr with its exclude flags; all else is the host's. Its size,
 * read_format, exclude_host, pinned and wakeup_events are as the options say, exclude_guest is 0; a
 * leader is disabled, a sibling is not, and a sibling is never pinned. sample_type and freq are 0.
 * The attr's sample_period, PMI flag, leader and cookie have no part in it.
 *
 * @param attr the event
 * @param options what the host decides
 * @param[out] bytes the perf_event_attr, in the machine's byte order; unchanged on error
 * @param room bytes there
 * @param[out] report what was found; NULL: not wanted
 * @return bytes written, 64 to 144; VPMU_ERROR_INVALID (the attr describes no event, an option or
 * the report's size is out of range, too little room); VPMU_ERROR_TOO_BIG (options, report);
 * VPMU_ERROR_DENIED (raw or host-software events, or bits of config, that the options do not
 * allow); VPMU_ERROR_UNSUPPORTED (another PMU model, an exclude flag of a host-software event, a
 * size without config2)
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_convert_to_perf(const struct guest_perf_attr *attr,
				  const struct vpmu_convert_to *options, void *bytes, uint64_t room,
				  struct vpmu_convert_report *report);

/**
 * @brief Reads a perf_event_attr as a request of a guest.
 *
 * Each field is judged by the table that vpmu_convert_field_at() shows. The report names the first
 * that is refused.
 *
 * Without VPMU_CONVERT_KERNEL the bytes come from a stranger: their size field counts, as in the
 * kernel's own copy, and whatever the ABI cannot carry is refused.
 *
 * With it the caller is a driver in a guest's kernel, and the bytes are its `event->attr`, whole.
 * That kernel's perf core does by itself what concerns tasks and rings of the guest: inheritance,
 * exec, sample records and their layout, side-band records, clocks, pinning, exclusive use, and
 * turning a frequency into periods. These fields are dropped. The period is then not the attr's but
 * `left`: pass `event->hw.sample_period`, and write it to the slot again when the core changes it.
 * What needs the driver's help and the ABI does not carry (precise_ip, branch records, AUX,
 * exclude_host, exclude_guest) is still refused; tools then ask again without it. A driver that
 * knows that it runs no guests of its own may clear exclude_guest before it calls. The core enables
 * events by itself: a driver has no use for the report's enable. Leader, member flag and cookie are
 * the caller's to add.
 *
 * An event that excludes user and kernel mode is VPMU_ERROR_INVALID with the field exclude_kernel:
 * it counts nothing, and the caller may answer 0 without opening it.
 *
 * @param bytes the perf_event_attr, in the machine's byte order
 * @param length bytes there
 * @param options what the guest may ask for
 * @param[out] attr the event; unchanged on error
 * @param[out] report what was found; NULL: not wanted
 * @return 0; VPMU_ERROR_INVALID (too short, a reserved field, a period out of range, an event that
 * counts nothing, an option or the report's size out of range); VPMU_ERROR_TOO_BIG (a non-zero byte
 * past the fields known; options, report); VPMU_ERROR_UNSUPPORTED; VPMU_ERROR_DENIED
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_convert_from_perf(const void *bytes, uint64_t length,
				    const struct vpmu_convert_from *options,
				    struct guest_perf_attr *attr,
				    struct vpmu_convert_report *report);

/**
 * @brief Number of fields and flags of perf_event_attr that are known.
 * @return the number; at most 128
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API uint32_t vpmu_convert_field_count(void);

/**
 * @brief Describes a field or flag of perf_event_attr, in the order of offset and bit.
 * @param index from 0
 * @param[out] field filled; its size is set by the caller
 * @return 0; VPMU_ERROR_INVALID (no such index, size too small); VPMU_ERROR_TOO_BIG
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_convert_field_at(uint32_t index, struct vpmu_convert_field *field);

/**
 * @brief Writes the name of an event as perf spells it: "cycles", "L1-dcache-load-misses:u",
 * "r1a8".
 * @param attr the event; period, PMI flag, link and cookie are not part of the name
 * @param[out] text the name and a NUL; unchanged on error
 * @param room bytes there; VPMU_CONVERT_NAME_SIZE is enough for any
 * @return length without the NUL; VPMU_ERROR_INVALID (no event, too little room);
 * VPMU_ERROR_UNSUPPORTED (a raw event with config1 or config2, a host-software event with an
 * exclude flag)
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_convert_name(const struct guest_perf_attr *attr, char *text, uint64_t room);

/**
 * @brief Reads the name of an event: what vpmu_convert_name() writes, and perf's other names of the
 * same events.
 * @param text the name; needs no NUL
 * @param length bytes of it
 * @param[out] attr the event, without period; all other words are set, the link of a raw event is
 * left 0 for the caller; unchanged on error
 * @param[out] report what is wrong: "event" or "modifier"; NULL: not wanted
 * @return 0; VPMU_ERROR_INVALID (no such event or modifier, both levels excluded, the report's
 * size); VPMU_ERROR_TOO_BIG (report); VPMU_ERROR_UNSUPPORTED (a modifier on a host-software event)
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_convert_parse(const char *text, uint64_t length, struct guest_perf_attr *attr,
				struct vpmu_convert_report *report);

/**
 * @brief What a kernel makes of exclude flags on a kind of PMU: an open that succeeds does not
 * prove that they hold.
 * @param pmu enum vpmu_convert_pmu
 * @param excludes any of enum vpmu_convert_exclusion
 * @return enum vpmu_convert_honesty, the worst of those asked for; VPMU_ERROR_INVALID (unknown kind
 * or flag)
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_convert_exclude(uint32_t pmu, uint32_t excludes);

/**
 * @brief Encodes an event for the selector of a PMU (abi/CONVERT.md section 8).
 *
 * Period, flags, link and cookie have no part in it. A raw event is its `config`, within the bits
 * that name events: Intel event, unit mask, edge, inversion and counter mask; AMD these and bits
 * 35:32; LoongArch bits 9:0.
 * @param attr the event
 * @param model enum vpmu_convert_model
 * @param[out] selector the selector; unchanged on error
 * @return 0; VPMU_ERROR_INVALID (no such model, no event, the selector's size); VPMU_ERROR_TOO_BIG;
 * VPMU_ERROR_DENIED (a raw event with other bits); VPMU_ERROR_UNSUPPORTED (the model has no such
 * event; host-software events; config1 or config2)
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_convert_selector(const struct guest_perf_attr *attr, uint32_t model,
				   struct vpmu_convert_selector *selector);

#ifdef __cplusplus
}
#endif

#endif
