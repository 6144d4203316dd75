/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Exits, hypercalls and PMIs of LoongArch, on the kernels that have them and on those that have
 * not. */

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "device.h"
#include "loongarch_kernel.h"
#include "runner/runner.h"

#define MMIO 0x40000000ull
#define COOKIE (32 + VPMU_ATTR_WORD_COOKIE)
#define REASON 8
#define USER_SERVICE 0x102
#define CALL(function) (VPMU_CALL_BASE + VPMU_CALL_##function)

static struct kernel kernel;
static struct vpmu_kvm_system system_;
static struct device device;
static struct vpmu_kvm_loongarch_vcpu target;
static uint8_t run[KERNEL_RUN_SIZE];
static const struct vpmu_kvm_loongarch_device place = { sizeof(place), MMIO, 1, 0 };

static int inject(void *opaque, uint32_t mode, uint32_t vector)
{
	(void)opaque;
	return vpmu_kvm_loongarch_pmi(&system_, &target, mode, vector);
}

static void set_up(uint32_t version, uint32_t vector)
{
	system_ = kernel_start(&kernel, version);
	kernel.run = run;
	memset(run, 0, sizeof(run));
	memset(&device, 0, sizeof(device));
	device.pmi = inject;
	target = (struct vpmu_kvm_loongarch_vcpu){ sizeof(target), KERNEL_VM, KERNEL_VCPU, vector,
						   0 };
	device_create(&device);
}

static void tear_down(void)
{
	CHECK_EQ(kernel.host_is_corrupted, 0);
	device_destroy(&device);
}

static void put(unsigned int at, uint64_t value, unsigned int size)
{
	memcpy(run + at, &value, size);
}

static uint64_t get(unsigned int at, unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value, run + at, size);
	return value;
}

static int answer(void)
{
	return vpmu_kvm_loongarch_exit(&system_, &place, &target, device.vcpu, run);
}

/* A user hypercall as the kernel reports it. */
static int call(uint64_t id, uint64_t first, uint64_t second)
{
	memset(run, 0, sizeof(run));
	put(REASON, 3, 4);
	put(32, USER_SERVICE, 8);
	put(40, id, 8);
	put(48, first, 8);
	put(56, second, 8);
	put(88, UINT64_MAX, 8);
	return answer();
}

static uint64_t result(void)
{
	return get(88, 8);
}

static int mmio(uint64_t address, uint32_t length, uint8_t write, uint64_t value)
{
	memset(run, 0, sizeof(run));
	put(REASON, 6, 4);
	put(32, address, 8);
	put(40, value, 8);
	put(48, length, 4);
	put(52, write, 1);
	return answer();
}

static void kernels_tell_whether_they_know_calls(void)
{
	static const struct {
		uint32_t version;
		int answer;
	} rows[] = {
		{ 607, VPMU_ERROR_UNSUPPORTED },
		{ 612, VPMU_ERROR_UNSUPPORTED },
		{ 613, VPMU_ERROR_UNSUPPORTED },
		{ 614, 0 },
		{ 619, 0 },
		{ 702, 0 },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t before;

		set_up(rows[i].version, VPMU_KVM_LOONGARCH_SWI1);
		before = kernel.features;
		CHECK_EQ(vpmu_kvm_loongarch_calls_on(&system_, KERNEL_VCPU), rows[i].answer);
		CHECK_EQ(kernel.features, rows[i].answer ? before : before | 1u << 25);
		CHECK_EQ(kernel.features_are_set, !rows[i].answer);
		CHECK_EQ(kernel.said, rows[i].answer != 0);
		/* Whatever the kernel, the window answers. */
		CHECK_EQ(mmio(MMIO + 8 * COOKIE, 8, 1, 77), VPMU_KVM_HANDLED);
		CHECK_EQ(device_read(&device, COOKIE), 77);
		tear_down();
	}
}

static void calls_are_switched_on_once(void)
{
	set_up(702, VPMU_KVM_LOONGARCH_SWI1);
	kernel.features = 1u << 1 | 1u << 24;
	CHECK_EQ(vpmu_kvm_loongarch_calls_on(&system_, KERNEL_VCPU), 0);
	CHECK_EQ(kernel.calls, 2);
	CHECK_EQ(vpmu_kvm_loongarch_calls_on(&system_, KERNEL_VCPU), 0);
	CHECK_EQ(kernel.calls, 3);
	CHECK_EQ(kernel.features, 1u << 1 | 1u << 24 | 1u << 25);
	/* The VMM has set the word, without the bit. */
	kernel.features = 2;
	CHECK_EQ(vpmu_kvm_loongarch_calls_on(&system_, KERNEL_VCPU), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(kernel.features, 2);
	tear_down();
}

static void calls_on_names_other_failures(void)
{
	for (uint32_t failing = 1; failing <= 2; failing++) {
		set_up(614, VPMU_KVM_LOONGARCH_SWI1);
		kernel.failing = failing;
		kernel.failure = -EPERM;
		CHECK_EQ(vpmu_kvm_loongarch_calls_on(&system_, KERNEL_VCPU), VPMU_ERROR_DENIED);
		CHECK_EQ(kernel.said, 1);
		tear_down();
	}
}

static void calls_reach_registers(void)
{
	set_up(614, VPMU_KVM_LOONGARCH_SWI1);
	CHECK_EQ(call(CALL(PROBE), 0, 0), VPMU_KVM_HANDLED);
	CHECK_EQ(result(), VPMU_LEVEL);
	CHECK_EQ(call(CALL(READ), VPMU_REG_MAGIC, 0), VPMU_KVM_HANDLED);
	CHECK_EQ(result(), VPMU_MAGIC);
	CHECK_EQ(call(CALL(WRITE), COOKIE, 5), VPMU_KVM_HANDLED);
	CHECK_EQ(result(), 0);
	CHECK_EQ(device_read(&device, COOKIE), 5);
	CHECK_EQ(call(CALL(WRITE), VPMU_REG_MAGIC, 5), VPMU_KVM_HANDLED);
	CHECK_EQ(result(), (uint64_t)-2);
	CHECK_EQ(call(CALL(BATCH), 0x10000, 3), VPMU_KVM_HANDLED);
	CHECK_EQ(result(), (uint64_t)-2);
	tear_down();
}

static void unknown_ids_are_refused(void)
{
	static const uint64_t ours[] = { 4, 0xffff };

	set_up(614, VPMU_KVM_LOONGARCH_SWI1);
	for (unsigned int i = 0; i < 2; i++) {
		CHECK_EQ(call(VPMU_CALL_BASE + ours[i], COOKIE, 5), VPMU_KVM_HANDLED);
		CHECK_EQ(result(), UINT64_MAX);
	}
	CHECK_EQ(device_read(&device, COOKIE), 0);
	tear_down();
}

/* Of each exit that is somebody else's, not one byte changes. */
static void other_exits_are_not_ours(void)
{
	static const struct {
		uint32_t reason;
		uint64_t nr;
		uint64_t id;
	} rows[] = {
		{ 3, USER_SERVICE, VPMU_CALL_WRITE },
		{ 3, USER_SERVICE, VPMU_CALL_BASE + 0x10000 + VPMU_CALL_WRITE },
		{ 3, USER_SERVICE, VPMU_CALL_BASE - 1 },
		{ 3, 0x100, CALL(WRITE) },
		{ 3, 0x101, CALL(WRITE) },
		{ 3, 0x100000102ull, CALL(WRITE) },
		{ 38, USER_SERVICE, CALL(WRITE) },
		{ 0, USER_SERVICE, CALL(WRITE) },
		{ 10, USER_SERVICE, CALL(WRITE) },
		{ 4, USER_SERVICE, CALL(WRITE) },
	};
	uint8_t before[KERNEL_RUN_SIZE];

	set_up(614, VPMU_KVM_LOONGARCH_SWI1);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(run, 0x5a, sizeof(run));
		put(REASON, rows[i].reason, 4);
		put(32, rows[i].nr, 8);
		put(40, rows[i].id, 8);
		put(48, COOKIE, 8);
		put(56, 5, 8);
		memcpy(before, run, sizeof(run));
		CHECK_EQ(answer(), VPMU_KVM_NOT_MINE);
		CHECK_MEM(run, before, sizeof(run));
	}
	CHECK_EQ(device_read(&device, COOKIE), 0);
	CHECK_EQ(kernel.calls, 0);
	tear_down();
}

static void a_vm_without_calls_answers_none(void)
{
	struct vpmu_kvm_loongarch_device without = place;

	set_up(612, VPMU_KVM_LOONGARCH_SWI1);
	(void)call(CALL(READ), VPMU_REG_MAGIC, 0);
	put(88, UINT64_MAX, 8);
	without.calls = 0;
	CHECK_EQ(vpmu_kvm_loongarch_exit(&system_, &without, &target, device.vcpu, run),
		 VPMU_KVM_NOT_MINE);
	CHECK_EQ(result(), UINT64_MAX);
	without.mmio_base = 0;
	put(REASON, 6, 4);
	put(32, 0, 8);
	CHECK_EQ(vpmu_kvm_loongarch_exit(&system_, &without, &target, device.vcpu, run),
		 VPMU_KVM_NOT_MINE);
	tear_down();
}

static void user_mode_is_refused(void)
{
	set_up(614, VPMU_KVM_LOONGARCH_SWI1);
	for (uint64_t level = 1; level <= 3; level++) {
		kernel.crmd = 0xb0 | level;
		CHECK_EQ(call(CALL(WRITE), COOKIE, 5), VPMU_KVM_HANDLED);
		CHECK_EQ(result(), UINT64_MAX);
		CHECK_EQ(call(CALL(READ), VPMU_REG_MAGIC, 0), VPMU_KVM_HANDLED);
		CHECK_EQ(result(), UINT64_MAX);
	}
	CHECK_EQ(device_read(&device, COOKIE), 0);
	kernel.crmd = 0xb0;
	CHECK_EQ(call(CALL(WRITE), COOKIE, 5), VPMU_KVM_HANDLED);
	CHECK_EQ(result(), 0);
	tear_down();
}

static void an_unknown_caller_is_refused(void)
{
	set_up(614, VPMU_KVM_LOONGARCH_SWI1);
	kernel.failing = 1;
	kernel.failure = -EIO;
	CHECK_EQ(call(CALL(WRITE), COOKIE, 5), VPMU_ERROR_SYSTEM);
	CHECK_EQ(result(), UINT64_MAX);
	CHECK_EQ(device_read(&device, COOKIE), 0);
	CHECK_EQ(kernel.said, 1);
	tear_down();
}

static void odd_accesses_to_the_window(void)
{
	static const struct {
		uint64_t offset;
		uint32_t length;
		int answer;
	} rows[] = {
		{ 8 * COOKIE, 1, VPMU_KVM_HANDLED },
		{ 8 * COOKIE, 2, VPMU_KVM_HANDLED },
		{ 8 * COOKIE, 4, VPMU_KVM_HANDLED },
		{ 8 * COOKIE + 4, 8, VPMU_KVM_HANDLED },
		{ 8 * COOKIE + 1, 8, VPMU_KVM_HANDLED },
		{ 8 * COOKIE, 3, VPMU_KVM_HANDLED },
		{ VPMU_MMIO_SIZE - 4, 8, VPMU_KVM_HANDLED },
		{ 8 * COOKIE, 9, VPMU_ERROR_INVALID },
		{ 8 * COOKIE, UINT32_MAX, VPMU_ERROR_INVALID },
		{ VPMU_MMIO_SIZE, 8, VPMU_KVM_NOT_MINE },
		{ (uint64_t)-4, 8, VPMU_KVM_NOT_MINE },
		{ (uint64_t)-8, 8, VPMU_KVM_NOT_MINE },
	};

	set_up(612, VPMU_KVM_LOONGARCH_SWI1);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_EQ(mmio(MMIO + rows[i].offset, rows[i].length, 1, 0x0101010101010101ull),
			 rows[i].answer);
		CHECK_EQ(device_read(&device, COOKIE), 0);
	}
	CHECK_EQ(mmio(MMIO + 4, 8, 0, 0), VPMU_KVM_HANDLED);
	CHECK_EQ(get(40, 8), UINT64_MAX);
	CHECK_EQ(mmio(MMIO, 4, 0, 0), VPMU_KVM_HANDLED);
	CHECK_EQ(get(40, 8), VPMU_MAGIC & UINT32_MAX);
	tear_down();
}

static void bad_tables_are_refused(void)
{
	struct vpmu_kvm_loongarch_device bad = place;

	set_up(614, VPMU_KVM_LOONGARCH_SWI1);
	(void)call(CALL(PROBE), 0, 0);
	bad.mmio_base = 8;
	CHECK_EQ(vpmu_kvm_loongarch_exit(&system_, &bad, &target, device.vcpu, run),
		 VPMU_ERROR_INVALID);
	bad = place;
	bad.size = 8;
	CHECK_EQ(vpmu_kvm_loongarch_exit(&system_, &bad, &target, device.vcpu, run),
		 VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_loongarch_exit(&system_, &place, &target, NULL, run), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_loongarch_exit(&system_, &place, &target, device.vcpu, NULL),
		 VPMU_ERROR_INVALID);
	for (uint32_t vector = 0; vector < 400; vector++) {
		int known = vector == 33 || vector == 42 || (vector >= 48 && vector <= 255);

		target.vector = vector;
		CHECK_EQ(answer(), known ? VPMU_KVM_HANDLED : VPMU_ERROR_INVALID);
	}
	tear_down();
}

/* The pending call is completed once: before the state is saved, and not once more when the vCPU
 * runs on. */
static void a_call_is_completed_once(void)
{
	set_up(614, VPMU_KVM_LOONGARCH_SWI1);
	kernel.pc = 0x1000;
	kernel.a0 = CALL(READ);
	CHECK_EQ(call(CALL(READ), VPMU_REG_MAGIC, 0), VPMU_KVM_HANDLED);
	CHECK_EQ(kernel.pc, 0x1000);
	CHECK_EQ(vpmu_kvm_complete(&system_, KERNEL_VCPU, run), 0);
	CHECK_EQ(kernel.pc, 0x1004);
	CHECK_EQ(kernel.a0, VPMU_MAGIC);
	CHECK_EQ(get(REASON, 4), 10);
	CHECK_EQ(run[1], 0);
	kernel.a0 = 1;
	CHECK_EQ(vpmu_kvm_complete(&system_, KERNEL_VCPU, run), 0);
	CHECK_EQ(kernel.pc, 0x1004);
	CHECK_EQ(kernel.a0, 1);
	CHECK_EQ(answer(), VPMU_KVM_NOT_MINE);
	tear_down();
}

/* A kick sets immediate_exit before the VMM has come back to KVM_RUN: the kernel completes, and
 * forgets nothing. */
static void a_kicked_vcpu_is_completed_once(void)
{
	set_up(614, VPMU_KVM_LOONGARCH_SWI1);
	for (int told = 0; told < 2; told++) {
		kernel.pc = 0x1000;
		CHECK_EQ(call(CALL(PROBE), 0, 0), VPMU_KVM_HANDLED);
		run[1] = 1;
		CHECK_EQ(system_.control(&kernel, KERNEL_VCPU, 0xae80, 0), -EINTR);
		run[1] = 0;
		CHECK_EQ(kernel.pc, 0x1004);
		if (told)
			CHECK_EQ(vpmu_kvm_interrupted(run), 0);
		CHECK_EQ(system_.control(&kernel, KERNEL_VCPU, 0xae80, 0), 0);
		CHECK_EQ(kernel.pc, told ? 0x1004 : 0x1008);
	}
	CHECK_EQ(vpmu_kvm_interrupted(NULL), VPMU_ERROR_INVALID);
	tear_down();
}

static void an_access_that_goes_on_is_answered_first(void)
{
	set_up(614, VPMU_KVM_LOONGARCH_SWI1);
	CHECK_EQ(mmio(MMIO, 8, 0, 0), VPMU_KVM_HANDLED);
	kernel.runs_on = 1;
	CHECK_EQ(vpmu_kvm_complete(&system_, KERNEL_VCPU, run), 1);
	CHECK_EQ(get(REASON, 4), 6);
	tear_down();
}

/* ---- PMIs ------------------------------------------------------------------------------------ */

/* Slot 0 counts with a period, and interrupts on the target's vector. */
static void sample(uint32_t vector)
{
	static const uint64_t attr[] = { VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0, 0, 100000,
					 VPMU_ATTR_PMI };

	for (unsigned int i = 0; i < 6; i++) {
		CHECK_EQ(call(CALL(WRITE), 32 + i, attr[i]), VPMU_KVM_HANDLED);
		CHECK_EQ(result(), 0);
	}
	CHECK_EQ(call(CALL(WRITE), VPMU_REG_PMI, VPMU_PMI_VECTOR | (uint64_t)vector << 8),
		 VPMU_KVM_HANDLED);
	CHECK_EQ(result(), 0);
	CHECK_EQ(call(CALL(WRITE), VPMU_REG_OPEN, 1), VPMU_KVM_HANDLED);
	CHECK_EQ(call(CALL(WRITE), VPMU_REG_ENABLE, 1), VPMU_KVM_HANDLED);
	CHECK_EQ(device_read(&device, VPMU_REG_ENABLED), 1);
}

static void overflow(void)
{
	device_overflow(&device, 100000);
	vpmu_vcpu_enter(device.vcpu);
}

/* The guest clears the bit in ESTAT itself, without an exit, before it acknowledges. */
static void swi1_is_cleared_by_the_guest(void)
{
	set_up(614, VPMU_KVM_LOONGARCH_SWI1);
	sample(33);
	overflow();
	CHECK_EQ(kernel.status, 1u << 1);
	CHECK_EQ(device_read(&device, VPMU_REG_PMI_LINE), VPMU_LINE_RAISED);
	kernel.status = 0;
	overflow();
	CHECK_EQ(kernel.status, 0);
	CHECK_EQ(call(CALL(WRITE), VPMU_REG_ACK, 1), VPMU_KVM_HANDLED);
	CHECK_EQ(device_read(&device, VPMU_REG_PMI_LINE), VPMU_LINE_IDLE);
	overflow();
	CHECK_EQ(kernel.status, 1u << 1);
	CHECK_EQ(device_read(&device, VPMU_REG_PMI_SEQUENCE), 2);
	tear_down();
}

/* A line that the guest cannot clear is up exactly while the device's is raised. */
static void pcov_and_lines_follow_the_device(void)
{
	static const struct {
		uint32_t vector;
		uint32_t line;
	} rows[] = { { 42, 0 }, { 48, 0 }, { 48 + 17, 17 }, { 255, 207 } };

	for (unsigned int i = 0; i < 4; i++) {
		const uint32_t *up = &kernel.lines[rows[i].line];

		set_up(702, rows[i].vector);
		sample(rows[i].vector);
		overflow();
		CHECK_EQ(rows[i].vector == 42 ? kernel.status == 1u << 10 : *up == 1, 1);
		CHECK_EQ(call(CALL(READ), VPMU_REG_PENDING, 0), VPMU_KVM_HANDLED);
		CHECK_EQ(target.raised, 1);
		CHECK_EQ(call(CALL(WRITE), VPMU_REG_ACK, 1), VPMU_KVM_HANDLED);
		CHECK_EQ(kernel.status, 0);
		CHECK_EQ(*up, 0);
		CHECK_EQ(target.raised, 0);
		overflow();
		CHECK_EQ(target.raised, 1);
		/* A reset by the VMM. */
		vpmu_vcpu_reset(device.vcpu);
		CHECK_EQ(vpmu_kvm_loongarch_settle(&system_, &target, device.vcpu), 0);
		CHECK_EQ(kernel.status, 0);
		CHECK_EQ(*up, 0);
		tear_down();
	}
}

/* Following the line costs no access that the guest did not make. */
static void the_line_is_followed_without_an_exit(void)
{
	struct vpmu_statistics told = { .size = sizeof(told) };

	set_up(702, 42);
	sample(42);
	overflow();
	CHECK_EQ(call(CALL(WRITE), VPMU_REG_ACK, 1), VPMU_KVM_HANDLED);
	CHECK_EQ(vpmu_kvm_loongarch_settle(&system_, &target, device.vcpu), 0);
	CHECK_EQ(vpmu_vcpu_statistics(device.vcpu, &told), 0);
	/* Six words, PMI, OPEN, ENABLE, what was read then, ACK. */
	CHECK_EQ(told.exits, 6 + 3 + 1 + 1);
	tear_down();
}

static void a_line_that_stays_up_is_tried_again(void)
{
	set_up(702, 42);
	sample(42);
	overflow();
	kernel.failing = kernel.calls + 2;
	kernel.failure = -EIO;
	CHECK_EQ(call(CALL(WRITE), VPMU_REG_ACK, 1), VPMU_KVM_HANDLED);
	CHECK_EQ(target.raised, 1);
	CHECK_EQ(kernel.said, 1);
	CHECK_EQ(call(CALL(READ), VPMU_REG_PENDING, 0), VPMU_KVM_HANDLED);
	CHECK_EQ(target.raised, 0);
	CHECK_EQ(kernel.status, 0);
	tear_down();
}

/* A vCPU that comes with a raised line: the CPU's state brought the interrupt, the acknowledgement
 * takes it. */
static void a_raised_line_moves_with_the_vcpu(void)
{
	set_up(702, 42);
	sample(42);
	overflow();
	target.raised = 0;
	CHECK_EQ(vpmu_kvm_loongarch_settle(&system_, &target, device.vcpu), 0);
	CHECK_EQ(target.raised, 1);
	CHECK_EQ(call(CALL(WRITE), VPMU_REG_ACK, 1), VPMU_KVM_HANDLED);
	CHECK_EQ(kernel.status, 0);
	tear_down();
}

/* What an old kernel drops is not taken for delivered on other grounds than that the VMM chose it. */
static void other_vectors_are_refused(void)
{
	set_up(614, VPMU_KVM_LOONGARCH_SWI1);
	CHECK_EQ(inject(NULL, VPMU_PMI_NMI, 0), VPMU_ERROR_INVALID);
	CHECK_EQ(inject(NULL, VPMU_PMI_OFF, 33), VPMU_ERROR_INVALID);
	CHECK_EQ(inject(NULL, VPMU_PMI_VECTOR, 32), VPMU_ERROR_INVALID);
	CHECK_EQ(inject(NULL, VPMU_PMI_VECTOR, 42), VPMU_ERROR_INVALID);
	CHECK_EQ(kernel.calls, 0);
	sample(42);
	overflow();
	CHECK_EQ(device_read(&device, VPMU_REG_PMI_LINE), VPMU_LINE_TO_INJECT);
	CHECK_EQ(device_read(&device, VPMU_REG_PMI_SEQUENCE), 0);
	tear_down();
}

static void failing_injection_is_tried_again(void)
{
	set_up(612, 48);
	sample(48);
	overflow();
	CHECK_EQ(device_read(&device, VPMU_REG_PMI_LINE), VPMU_LINE_TO_INJECT);
	CHECK_EQ(target.raised, 0);
	CHECK_EQ(kernel.said, 1);
	kernel.version = 613;
	device.now += 1000000000;
	vpmu_vcpu_enter(device.vcpu);
	CHECK_EQ(kernel.lines[0], 1);
	CHECK_EQ(device_read(&device, VPMU_REG_PMI_LINE), VPMU_LINE_RAISED);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-CALL-2", "kernels_tell_whether_they_know_calls",
	  kernels_tell_whether_they_know_calls },
	{ "R-CALL-2", "calls_are_switched_on_once", calls_are_switched_on_once },
	{ "faults", "calls_on_names_other_failures", calls_on_names_other_failures },
	{ "R-CALL-1", "calls_reach_registers", calls_reach_registers },
	{ "R-CALL-1", "unknown_ids_are_refused", unknown_ids_are_refused },
	{ "R-CALL-1", "other_exits_are_not_ours", other_exits_are_not_ours },
	{ "R-CALL-1", "a_vm_without_calls_answers_none", a_vm_without_calls_answers_none },
	{ "R-CALL-3", "user_mode_is_refused", user_mode_is_refused },
	{ "R-CALL-3", "an_unknown_caller_is_refused", an_unknown_caller_is_refused },
	{ "R-MMIO-2", "odd_accesses_to_the_window", odd_accesses_to_the_window },
	{ "arguments", "bad_tables_are_refused", bad_tables_are_refused },
	{ "R-ACC-7", "a_call_is_completed_once", a_call_is_completed_once },
	{ "R-ACC-7", "a_kicked_vcpu_is_completed_once", a_kicked_vcpu_is_completed_once },
	{ "R-ACC-7", "an_access_that_goes_on_is_answered_first",
	  an_access_that_goes_on_is_answered_first },
	{ "R-PMI-11", "swi1_is_cleared_by_the_guest", swi1_is_cleared_by_the_guest },
	{ "R-PMI-11", "pcov_and_lines_follow_the_device", pcov_and_lines_follow_the_device },
	{ "statistics", "the_line_is_followed_without_an_exit",
	  the_line_is_followed_without_an_exit },
	{ "R-PMI-4", "a_line_that_stays_up_is_tried_again", a_line_that_stays_up_is_tried_again },
	{ "R-PMI-4", "a_raised_line_moves_with_the_vcpu", a_raised_line_moves_with_the_vcpu },
	{ "R-PMI-11", "other_vectors_are_refused", other_vectors_are_refused },
	{ "R-PMI-3", "failing_injection_is_tried_again", failing_injection_is_tried_again },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
