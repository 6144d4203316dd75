/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file registers.h
 * @brief A PMU as its registers: a table of reads and writes, and a description of what the
 * registers mean.
 *
 * Code that drives a PMU (direct.h, owner.h) knows no machine. It knows a description: how many
 * counters, where their registers are, which bits of a selector do what, whether there is a global
 * control. x86 from the architectural version 2 on, AMD's core counters and LoongArch are
 * descriptions that vpmu_hardware_describe() makes; another machine is another description.
 *
 * Counters are numbered as in IA32_PERF_GLOBAL_CTRL: general ones from 0, fixed ones from 32.
 * @since 0.1
 */
#ifndef VPMU_REGISTERS_H
#define VPMU_REGISTERS_H

#include <stdint.h>

#include <vpmu/error.h>
#include <vpmu/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Number of the first fixed counter. */
#define VPMU_FIXED_FIRST 32
/** Numbers of counters are below this. */
#define VPMU_COUNTERS 48

/** How the registers of a CPU are read and written. Called on that CPU, with its interrupts off. */
struct vpmu_registers {
	uint64_t size; /**< sizeof(struct vpmu_registers) as the caller knows it */
	void *opaque;  /**< first argument of the functions */
	/** Reads register `number` (x86: MSR, LoongArch: CSR). 0, or VPMU_ERROR_INVALID where the
	 * hardware would fault. */
	int (*read)(void *opaque, uint32_t cpu, uint32_t number, uint64_t *value);
	/** Writes it. 0, or VPMU_ERROR_INVALID where the hardware would fault. */
	int (*write)(void *opaque, uint32_t cpu, uint32_t number, uint64_t value);
};

/** What the registers of a PMU mean. The same on all CPUs. A register number 0 is none. */
struct vpmu_hardware {
	uint64_t size;	      /**< sizeof(struct vpmu_hardware) as the caller knows it */
	uint64_t events;      /**< bits 1 << VPMU_HARDWARE_* that this PMU does not lack */
	uint64_t user;	      /**< selector: count user mode */
	uint64_t kernel;      /**< selector: count kernel mode */
	uint64_t interrupt;   /**< selector: interrupt on overflow */
	uint64_t enable;      /**< selector: count; 0 where user and kernel do that alone */
	uint64_t guest;	      /**< selector: count guests only; 0: not possible */
	uint64_t host;	      /**< selector: count the host only; 0: not possible */
	uint64_t select_bits; /**< selector: all bits that can be written */
	uint32_t model;	      /**< enum vpmu_convert_model: whose selectors */
	uint32_t counters;    /**< general counters, 1 to 32 */
	uint32_t fixed;	      /**< fixed counters, 0 to 16 */
	uint32_t width;	      /**< bits of a general counter, 32 to 64 */
	uint32_t fixed_width; /**< bits of a fixed counter */
	uint32_t overflow;    /**< a general counter overflows when it reaches 2^overflow; at most
				 width */
	uint32_t write_bits; /**< a value written to a general counter is extended from so many bits
				by its sign */
	uint32_t select;     /**< register: selector of counter 0 */
	uint32_t select_step;	 /**< from there to that of the next counter */
	uint32_t counter;	 /**< register: counter 0 */
	uint32_t counter_write;	 /**< register: counter 0 when it is written; may be the same */
	uint32_t counter_step;	 /**< from there to the next counter */
	uint32_t fixed_counter;	 /**< register: fixed counter 0; the next follow */
	uint32_t fixed_control;	 /**< register: 4 bits for each fixed counter: kernel 1, user 2,
				    interrupt 8 */
	uint32_t global_control; /**< register: a bit for each counter that may count */
	uint32_t global_status;	 /**< register: a bit for each counter that overflowed */
	uint32_t global_clear;	 /**< register: a bit written clears that of the status */
	uint32_t reserved;	 /**< 0 */
};

/**
 * @brief Describes a PMU from what the CPU says of itself.
 *
 * | model | identity[0] | [1] | [2] | [3] |
 * |---|---|---|---|---|
 * | Intel | CPUID 0xa: EAX | EBX | EDX | IA32_PERF_CAPABILITIES |
 * | AMD | CPUID 0x80000001: ECX | CPUID 0x80000022: EAX | EBX | 0 |
 * | LoongArch | CPUCFG 6 | 0 | 0 | 0 |
 *
 * Sources: Intel SDM volume 3, chapter "Performance Monitoring"; AMD APM volume 2, chapter 13;
 * LoongArch Reference Manual volume 1, "Performance Monitoring"; Linux, arch/x86/events and
 * arch/loongarch/kernel/perf_event.c.
 * @param model enum vpmu_convert_model
 * @param identity the words of the table
 * @param[out] hardware filled; its size is set to what this library knows; unchanged on error
 * @return 0; VPMU_ERROR_UNSUPPORTED (no PMU, or one before Intel's version 2 or without AMD's core
 * extensions); VPMU_ERROR_INVALID (no such model)
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_hardware_describe(uint32_t model, const uint64_t identity[4],
				    struct vpmu_hardware *hardware);

#ifdef __cplusplus
}
#endif

#endif
