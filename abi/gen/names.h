/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Made by abi/generate.py from abi/vpmu.toml; edit that. */

/* Names of words, and of values by their number; bits by theirs. */
#ifndef VPMU_GEN_NAMES_H
#define VPMU_GEN_NAMES_H

static const char *const vpmu_names_control[32] = {
	[0] = "MAGIC",
	[1] = "LEVEL",
	[2] = "FEATURES",
	[3] = "LIMITS",
	[4] = "PERIOD_FLOOR",
	[5] = "PMU_MODEL",
	[6] = "VCPU",
	[7] = "EPOCH",
	[8] = "EPOCH_REASON",
	[9] = "AREA",
	[10] = "AREA_STATE",
	[11] = "PMI",
	[12] = "PMI_LINE",
	[13] = "PMI_SEQUENCE",
	[14] = "OPENED",
	[15] = "ENABLED",
	[16] = "PENDING",
	[17] = "ERROR",
	[18] = "OPEN",
	[19] = "CLOSE",
	[20] = "ENABLE",
	[21] = "DISABLE",
	[22] = "SYNC",
	[23] = "ACK",
	[24] = "CHECK",
	[25] = "WARM",
	[26] = "KICK",
	[27] = "RESET",
};

static const char *const vpmu_names_slot[32] = {
	[0] = "type",
	[1] = "config",
	[2] = "config1",
	[3] = "config2",
	[4] = "sample_period",
	[5] = "flags",
	[6] = "link",
	[7] = "cookie",
	[16] = "status",
	[17] = "count",
	[18] = "time_enabled",
	[19] = "time_running",
	[20] = "period_left",
	[21] = "lost",
	[22] = "stamp",
	[23] = "continuity",
	[24] = "overflows",
};

static const char *const vpmu_names_image_header[8] = {
	[0] = "magic",
	[1] = "format",
	[2] = "size",
	[3] = "vm",
	[4] = "must",
	[5] = "may",
	[6] = "counts",
	[7] = "reserved",
};

static const char *const vpmu_names_image_record[2] = {
	[0] = "head",
	[1] = "vcpu",
};

static const char *const vpmu_names_image_vm[10] = {
	[0] = "features",
	[1] = "limits",
	[2] = "period_floor",
	[3] = "pmu_model",
	[4] = "hardware_events",
	[5] = "software_events",
	[6] = "cache_events",
	[7] = "transport",
	[8] = "base",
	[9] = "line",
};

static const char *const vpmu_names_type[5] = {
	[0] = "NONE",
	[1] = "HARDWARE",
	[2] = "CACHE",
	[3] = "RAW",
	[4] = "HOST_SOFTWARE",
};

static const char *const vpmu_names_hardware[11] = {
	[1] = "CYCLES",
	[2] = "INSTRUCTIONS",
	[3] = "CACHE_REFERENCES",
	[4] = "CACHE_MISSES",
	[5] = "BRANCHES",
	[6] = "BRANCH_MISSES",
	[7] = "BUS_CYCLES",
	[8] = "STALLED_FRONTEND",
	[9] = "STALLED_BACKEND",
	[10] = "REF_CYCLES",
};

static const char *const vpmu_names_cache[7] = {
	[0] = "L1D",
	[1] = "L1I",
	[2] = "LL",
	[3] = "DTLB",
	[4] = "ITLB",
	[5] = "BPU",
	[6] = "NODE",
};

static const char *const vpmu_names_cache_op[3] = {
	[0] = "READ",
	[1] = "WRITE",
	[2] = "PREFETCH",
};

static const char *const vpmu_names_cache_result[2] = {
	[0] = "ACCESS",
	[1] = "MISS",
};

static const char *const vpmu_names_software[10] = {
	[1] = "CPU_CLOCK",
	[2] = "TASK_CLOCK",
	[3] = "PAGE_FAULTS",
	[4] = "CONTEXT_SWITCHES",
	[5] = "CPU_MIGRATIONS",
	[6] = "MINOR_FAULTS",
	[7] = "MAJOR_FAULTS",
	[8] = "ALIGNMENT_FAULTS",
	[9] = "EMULATION_FAULTS",
};

static const char *const vpmu_names_state[6] = {
	[0] = "CLOSED",
	[1] = "STOPPED",
	[2] = "ACTIVE",
	[3] = "PARTIAL",
	[4] = "INACTIVE",
	[5] = "ERROR",
};

static const char *const vpmu_names_reason[12] = {
	[0] = "NONE",
	[1] = "DENIED",
	[2] = "UNSUPPORTED",
	[3] = "STARVED",
	[4] = "NOT_PORTABLE",
	[5] = "HOST_TOOK_PMU",
	[6] = "HOST_LIMIT",
	[7] = "OPENING",
	[8] = "BAD_GROUP",
	[9] = "UNBOUND",
	[10] = "AGAIN",
	[11] = "INVALID",
};

static const char *const vpmu_names_epoch[5] = {
	[0] = "START",
	[1] = "RESTORED",
	[2] = "HOST_TOOK_PMU",
	[3] = "PMU_RETURNED",
	[4] = "THREAD_CHANGED",
};

static const char *const vpmu_names_area[3] = {
	[0] = "OFF",
	[1] = "ON",
	[2] = "FAILED",
};

static const char *const vpmu_names_pmi[3] = {
	[0] = "OFF",
	[1] = "NMI",
	[2] = "VECTOR",
};

static const char *const vpmu_names_line[3] = {
	[0] = "IDLE",
	[1] = "TO_INJECT",
	[2] = "RAISED",
};

static const char *const vpmu_names_image_kind[2] = {
	[0] = "STATE",
	[1] = "CONFIGURATION",
};

static const char *const vpmu_names_image_bank[3] = {
	[0] = "DEVICE",
	[1] = "X86_PMU",
	[2] = "LOONGARCH_PMU",
};

static const char *const vpmu_names_architecture[6] = {
	[1] = "X86",
	[2] = "LOONGARCH",
	[3] = "ARM",
	[4] = "RISCV",
	[5] = "OTHER",
};

static const char *const vpmu_names_transport[5] = {
	[1] = "MSR",
	[2] = "CALL",
	[3] = "MMIO",
	[4] = "MAILBOX",
};

static const char *const vpmu_names_feature[6] = {
	[0] = "AREA",
	[1] = "PMI_NMI",
	[2] = "PMI_VECTOR",
	[3] = "RAW",
	[4] = "HOST_SOFTWARE",
	[5] = "FLEXIBLE",
};

static const char *const vpmu_names_attr[4] = {
	[0] = "EXCLUDE_USER",
	[1] = "EXCLUDE_KERNEL",
	[2] = "PMI",
	[3] = "MEMBER",
};

static const char *const vpmu_names_event[7] = {
	[0] = "MULTIPLEXED",
	[1] = "THROTTLED",
	[2] = "APPROXIMATE",
	[3] = "LOWER_BOUND",
	[4] = "THREAD",
	[5] = "REARM",
	[6] = "INCOMPLETE",
};

#endif
