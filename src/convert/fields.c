/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <stddef.h>
#include <string.h>

#include <vpmu/convert.h>

#include "fields.h"
#include "report.h"

#define ACCEPT VPMU_CONVERT_ACCEPT
#define DROP VPMU_CONVERT_DROP
#define REFUSE VPMU_CONVERT_REFUSE
#define NEVER VPMU_CONVERT_NEVER
#define RESERVED VPMU_CONVERT_RESERVED
#define ZERO VPMU_CONVERT_ZERO
#define GUEST VPMU_CONVERT_GUEST
#define HOST VPMU_CONVERT_HOST

/* Offset of the word of flags, which the kernel declares as bit-fields. */
#define FLAGS_OFFSET 40

/* name, reason, offset, width, first bit, version, verdict, verdict for a kernel, origin */
const struct convert_field vpmu_convert_fields[FIELD_COUNT] = {
	[FIELD_TYPE] = { "type",
			 "It says what config means; hardware, cache, raw and software events can be expressed.",
			 0, 32, 0, 0, ACCEPT, ACCEPT, GUEST },
	[FIELD_SIZE] = { "size", "It is the length of the struct itself.", 4, 32, 0, 0, ACCEPT,
			 ACCEPT, HOST },
	[FIELD_CONFIG] = { "config",
			   "It is the event; its upper half is the PMU's number, which belongs to each kernel.",
			   8, 64, 0, 0, ACCEPT, ACCEPT, GUEST },
	[FIELD_SAMPLE_PERIOD] = { "sample_period",
				  "A guest samples by an exact period; the host's is what is left of it.",
				  16, 64, 0, 0, ACCEPT, ACCEPT, HOST },
	[FIELD_SAMPLE_TYPE] = { "sample_type",
				"The device counts; records are made by the kernel that takes the interrupt.",
				24, 64, 0, 0, REFUSE, DROP, ZERO },
	[FIELD_READ_FORMAT] = { "read_format",
				"How a reading is laid out is agreed between a kernel and its reader.",
				32, 64, 0, 0, DROP, DROP, HOST },
	[FIELD_DISABLED] = { "disabled", "It is the enable state.", 40, 1, 0, 0, ACCEPT, ACCEPT,
			     HOST },
	[FIELD_INHERIT] = { "inherit",
			    "The host would follow new threads of the VMM, and the count were no vCPU's.",
			    40, 1, 1, 0, NEVER, DROP, ZERO },
	[FIELD_PINNED] = { "pinned", "How many counters a VM may hold is the host's policy.", 40, 1,
			   2, 0, DROP, DROP, HOST },
	[FIELD_EXCLUSIVE] = { "exclusive", "One event of a guest would own the host's PMU.", 40, 1,
			      3, 0, NEVER, DROP, ZERO },
	[FIELD_EXCLUDE_USER] = { "exclude_user", "It is the guest's own user mode.", 40, 1, 4, 0,
				 ACCEPT, ACCEPT, GUEST },
	[FIELD_EXCLUDE_KERNEL] = { "exclude_kernel", "It is the guest's own kernel mode.", 40, 1, 5,
				   0, ACCEPT, ACCEPT, GUEST },
	[FIELD_EXCLUDE_HV] = { "exclude_hv", "No event of a guest counts the hypervisor.", 40, 1, 6,
			       0, DROP, DROP, ZERO },
	[FIELD_EXCLUDE_IDLE] = { "exclude_idle", "The PMUs of many hosts ignore it or refuse it.",
				 40, 1, 7, 0, DROP, DROP, ZERO },
	[FIELD_MMAP] = { "mmap",
			 "Side-band records describe tasks, memory and code; a guest's own kernel makes them.",
			 40, 1, 8, 0, NEVER, DROP, ZERO },
	[FIELD_COMM] = { "comm",
			 "Side-band records describe tasks, memory and code; a guest's own kernel makes them.",
			 40, 1, 9, 0, NEVER, DROP, ZERO },
	[FIELD_FREQ] = { "freq",
			 "A counter needs an exact period; the kernel that wants a rate re-tunes it.",
			 40, 1, 10, 0, REFUSE, DROP, ZERO },
	[FIELD_INHERIT_STAT] = { "inherit_stat",
				 "It is about fork and exec, which the host would take as the VMM's.",
				 40, 1, 11, 0, NEVER, DROP, ZERO },
	[FIELD_ENABLE_ON_EXEC] = { "enable_on_exec",
				   "It is about fork and exec, which the host would take as the VMM's.",
				   40, 1, 12, 0, NEVER, DROP, ZERO },
	[FIELD_TASK] = { "task",
			 "Side-band records describe tasks, memory and code; a guest's own kernel makes them.",
			 40, 1, 13, 0, NEVER, DROP, ZERO },
	[FIELD_WATERMARK] = { "watermark",
			      "How records lie in a ring is the business of the kernel that owns the ring.",
			      40, 1, 14, 0, REFUSE, DROP, ZERO },
	[FIELD_PRECISE_IP] = { "precise_ip",
			       "The interrupt arrives late by the time of an exit, so no position is precise.",
			       40, 2, 15, 0, REFUSE, REFUSE, ZERO },
	[FIELD_MMAP_DATA] = { "mmap_data",
			      "Side-band records describe tasks, memory and code; a guest's own kernel makes them.",
			      40, 1, 17, 0, NEVER, DROP, ZERO },
	[FIELD_SAMPLE_ID_ALL] = { "sample_id_all",
				  "How records lie in a ring is the business of the kernel that owns the ring.",
				  40, 1, 18, 0, REFUSE, DROP, ZERO },
	[FIELD_EXCLUDE_HOST] = { "exclude_host",
				 "It would mean to count only the guests of this guest, which no host can tell apart.",
				 40, 1, 19, 0, REFUSE, REFUSE, HOST },
	[FIELD_EXCLUDE_GUEST] = { "exclude_guest",
				  "It would mean to leave out the guests of this guest, which no host can tell apart.",
				  40, 1, 20, 0, REFUSE, REFUSE, ZERO },
	[FIELD_EXCLUDE_CALLCHAIN_KERNEL] = { "exclude_callchain_kernel",
					     "Call chains are taken by the kernel that takes the interrupt.",
					     40, 1, 21, 0, REFUSE, DROP, ZERO },
	[FIELD_EXCLUDE_CALLCHAIN_USER] = { "exclude_callchain_user",
					   "Call chains are taken by the kernel that takes the interrupt.",
					   40, 1, 22, 0, REFUSE, DROP, ZERO },
	[FIELD_MMAP2] = { "mmap2",
			  "Side-band records describe tasks, memory and code; a guest's own kernel makes them.",
			  40, 1, 23, 0, NEVER, DROP, ZERO },
	[FIELD_COMM_EXEC] = { "comm_exec",
			      "Side-band records describe tasks, memory and code; a guest's own kernel makes them.",
			      40, 1, 24, 0, NEVER, DROP, ZERO },
	[FIELD_USE_CLOCKID] = { "use_clockid",
				"The clock of records is that of the kernel that makes them.", 40,
				1, 25, 0, REFUSE, DROP, ZERO },
	[FIELD_CONTEXT_SWITCH] = { "context_switch",
				   "Side-band records describe tasks, memory and code; a guest's own kernel makes them.",
				   40, 1, 26, 0, NEVER, DROP, ZERO },
	[FIELD_WRITE_BACKWARD] = { "write_backward",
				   "How records lie in a ring is the business of the kernel that owns the ring.",
				   40, 1, 27, 0, REFUSE, DROP, ZERO },
	[FIELD_NAMESPACES] = { "namespaces",
			       "Side-band records describe tasks, memory and code; a guest's own kernel makes them.",
			       40, 1, 28, 0, NEVER, DROP, ZERO },
	[FIELD_KSYMBOL] = { "ksymbol",
			    "Side-band records describe tasks, memory and code; a guest's own kernel makes them.",
			    40, 1, 29, 0, NEVER, DROP, ZERO },
	[FIELD_BPF_EVENT] = { "bpf_event",
			      "Side-band records describe tasks, memory and code; a guest's own kernel makes them.",
			      40, 1, 30, 0, NEVER, DROP, ZERO },
	[FIELD_AUX_OUTPUT] = { "aux_output", "AUX buffers belong to the host's trace hardware.", 40,
			       1, 31, 0, NEVER, NEVER, ZERO },
	[FIELD_CGROUP] = { "cgroup",
			   "Side-band records describe tasks, memory and code; a guest's own kernel makes them.",
			   40, 1, 32, 0, NEVER, DROP, ZERO },
	[FIELD_TEXT_POKE] = { "text_poke",
			      "Side-band records describe tasks, memory and code; a guest's own kernel makes them.",
			      40, 1, 33, 0, NEVER, DROP, ZERO },
	[FIELD_BUILD_ID] = { "build_id",
			     "Side-band records describe tasks, memory and code; a guest's own kernel makes them.",
			     40, 1, 34, 0, NEVER, DROP, ZERO },
	[FIELD_INHERIT_THREAD] = { "inherit_thread",
				   "It is about fork and exec, which the host would take as the VMM's.",
				   40, 1, 35, 0, NEVER, DROP, ZERO },
	[FIELD_REMOVE_ON_EXEC] = { "remove_on_exec",
				   "It is about fork and exec, which the host would take as the VMM's.",
				   40, 1, 36, 0, NEVER, DROP, ZERO },
	[FIELD_SIGTRAP] = { "sigtrap", "The host would raise the signal in the VMM's thread.", 40,
			    1, 37, 0, NEVER, DROP, ZERO },
	[FIELD_DEFER_CALLCHAIN] = { "defer_callchain", "The host would walk the stacks of the VMM.",
				    40, 1, 38, 0, NEVER, DROP, ZERO },
	[FIELD_DEFER_OUTPUT] = { "defer_output", "The host would walk the stacks of the VMM.", 40,
				 1, 39, 0, NEVER, DROP, ZERO },
	[FIELD_RESERVED_1] = { "__reserved_1", "These flags have no meaning yet.", 40, 24, 40, 0,
			       RESERVED, RESERVED, ZERO },
	[FIELD_WAKEUP_EVENTS] = { "wakeup_events",
				  "How records lie in a ring is the business of the kernel that owns the ring.",
				  48, 32, 0, 0, REFUSE, DROP, HOST },
	[FIELD_BP_TYPE] = { "bp_type", "Breakpoints are no events of a PMU.", 52, 32, 0, 0, REFUSE,
			    REFUSE, ZERO },
	[FIELD_CONFIG1] = { "config1", "Raw events may use it, within a mask that the host allows.",
			    56, 64, 0, 0, ACCEPT, ACCEPT, GUEST },
	[FIELD_CONFIG2] = { "config2", "Raw events may use it, within a mask that the host allows.",
			    64, 64, 0, 1, ACCEPT, ACCEPT, GUEST },
	[FIELD_BRANCH_SAMPLE_TYPE] = { "branch_sample_type", "The ABI carries no branch records.",
				       72, 64, 0, 2, REFUSE, REFUSE, ZERO },
	[FIELD_SAMPLE_REGS_USER] = { "sample_regs_user",
				     "Registers are taken by the kernel that takes the interrupt.",
				     80, 64, 0, 3, REFUSE, DROP, ZERO },
	[FIELD_SAMPLE_STACK_USER] = { "sample_stack_user",
				      "Stacks are copied by the kernel that takes the interrupt.",
				      88, 32, 0, 3, REFUSE, DROP, ZERO },
	[FIELD_CLOCKID] = { "clockid",
			    "The clock of records is that of the kernel that makes them.", 92, 32,
			    0, 3, REFUSE, DROP, ZERO },
	[FIELD_SAMPLE_REGS_INTR] = { "sample_regs_intr",
				     "Registers are taken by the kernel that takes the interrupt.",
				     96, 64, 0, 4, REFUSE, DROP, ZERO },
	[FIELD_AUX_WATERMARK] = { "aux_watermark",
				  "AUX buffers belong to the host's trace hardware.", 104, 32, 0, 5,
				  NEVER, NEVER, ZERO },
	[FIELD_SAMPLE_MAX_STACK] = { "sample_max_stack",
				     "Call chains are taken by the kernel that takes the interrupt.",
				     108, 16, 0, 5, REFUSE, DROP, ZERO },
	[FIELD_RESERVED_2] = { "__reserved_2", "This word has no meaning yet.", 110, 16, 0, 5,
			       RESERVED, RESERVED, ZERO },
	[FIELD_AUX_SAMPLE_SIZE] = { "aux_sample_size",
				    "AUX buffers belong to the host's trace hardware.", 112, 32, 0,
				    6, NEVER, NEVER, ZERO },
	[FIELD_AUX_ACTION] = { "aux_action", "AUX buffers belong to the host's trace hardware.",
			       116, 32, 0, 6, NEVER, NEVER, ZERO },
	[FIELD_SIG_DATA] = { "sig_data", "The host would raise the signal in the VMM's thread.",
			     120, 64, 0, 7, NEVER, DROP, ZERO },
	[FIELD_CONFIG3] = { "config3", "The ABI has no word for it.", 128, 64, 0, 8, REFUSE, REFUSE,
			    ZERO },
	[FIELD_CONFIG4] = { "config4", "The ABI has no word for it.", 136, 64, 0, 9, REFUSE, REFUSE,
			    ZERO },
};

static uint32_t word_bits(const struct convert_field *field)
{
	return field->offset == FLAGS_OFFSET ? 64 : field->width;
}

/* A big-endian compiler gives the first bit-field the highest bits. */
static uint32_t field_shift(const struct convert_field *field)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return word_bits(field) - field->first_bit - field->width;
#else
	return field->first_bit;
#endif
}

static uint64_t load(const uint8_t *from, uint32_t bits)
{
	uint16_t word16;
	uint32_t word32;
	uint64_t word64;

	switch (bits) {
	case 16:
		memcpy(&word16, from, sizeof(word16));
		return word16;
	case 32:
		memcpy(&word32, from, sizeof(word32));
		return word32;
	default:
		memcpy(&word64, from, sizeof(word64));
		return word64;
	}
}

uint64_t vpmu_convert_field_get(const uint8_t *attr, uint32_t field)
{
	const struct convert_field *row = &vpmu_convert_fields[field];
	uint64_t word = load(attr + row->offset, word_bits(row));

	return word >> field_shift(row) & UINT64_MAX >> (64 - row->width);
}

void vpmu_convert_field_put(uint8_t *attr, uint32_t field, uint64_t value)
{
	const struct convert_field *row = &vpmu_convert_fields[field];
	uint8_t *to = attr + row->offset;
	uint64_t word = load(to, word_bits(row)) | value << field_shift(row);
	uint32_t word32 = (uint32_t)word;

	if (word_bits(row) == 64)
		memcpy(to, &word, sizeof(word));
	else
		memcpy(to, &word32, sizeof(word32));
}

uint32_t vpmu_convert_field_count(void)
{
	return FIELD_COUNT;
}

int vpmu_convert_field_at(uint32_t index, struct vpmu_convert_field *field)
{
	int error = vpmu_sized_check(field, sizeof(*field));
	const struct convert_field *row;

	if (error)
		return error;
	if (index >= FIELD_COUNT)
		return VPMU_ERROR_INVALID;
	row = &vpmu_convert_fields[index];
	field->name = row->name;
	field->reason = row->reason;
	field->offset = row->offset;
	field->width = row->width;
	field->first_bit = row->first_bit;
	field->version = row->version;
	field->verdict = row->verdict;
	field->kernel_verdict = row->kernel_verdict;
	field->origin = row->origin;
	field->reserved = 0;
	return 0;
}
