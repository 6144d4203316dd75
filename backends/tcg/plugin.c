/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The plugin: runs in QEMU and counts what each vCPU does, in memory that it shares with the
 * counter source.
 *
 *   -plugin libvpmu-tcg.so,shared=FILE[,memory=on][,precise=on]
 *
 * FILE is made if it is missing, and FILE.notify, a FIFO, beside it. What a block adds is packed
 * into the pointer that QEMU hands to the block's callback, so translating costs no memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decode.h"
#include "plugin_api.h"
#include "shared.h"

#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* A block: instructions 15:0, branches 30:16, whether it is one repeated instruction, the mark of
 * that 63:32. */
#define BLOCK_INSTRUCTIONS 0xffffull
#define BLOCK_BRANCHES 0x7fff0000ull
#define BLOCK_BRANCHES_SHIFT 16
#define BLOCK_ALONE (1ull << 31)
#define BLOCK_MARK_SHIFT 32

static struct {
	struct tcg_vcpu *vcpus;
	decoder decode;
	uint32_t count; /* vCPUs */
	bool memory;
	bool precise;
	int notify;
} plugin = { .notify = -1 };

PLUGIN_EXPORT int qemu_plugin_version = 1;
PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_plugin_info *info,
				      int count, char **arguments);

static uint64_t load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

/* Once for each target: a full pipe is a notice already, and no reader is none. */
static void tell(struct tcg_vcpu *vcpu, enum tcg_kind kind)
{
	uint64_t target = load(&vcpu->target[kind]);
	int saved = errno;

	if (load(&vcpu->count[kind]) < target)
		return;
	if (atomic_compare_exchange_strong(&vcpu->target[kind], &target, TCG_NEVER) &&
	    write(plugin.notify, "", 1) < 0)
		errno = saved;
}

/* Not inlined, so that what runs for each block keeps no register. */
static __attribute__((noinline, cold)) void tell_all(struct tcg_vcpu *vcpu)
{
	for (unsigned int kind = 0; kind < TCG_KINDS; kind++)
		tell(vcpu, (enum tcg_kind)kind);
}

/* 1 when notice is due. A target that the source stores at this moment is seen when the next block
 * begins. */
static inline int add(struct tcg_vcpu *vcpu, enum tcg_kind kind, uint64_t more)
{
	uint64_t count = load(&vcpu->count[kind]) + more;

	atomic_store_explicit(&vcpu->count[kind], count, memory_order_relaxed);
	return count >= load(&vcpu->target[kind]);
}

/* QEMU numbers its vCPUs below the number that it told. */
static struct tcg_vcpu *vcpu_of(unsigned int index)
{
	return &plugin.vcpus[index];
}

/* Most blocks have no branch, or one, their last instruction: then only instructions are told. */
static void run_straight(unsigned int index, void *instructions)
{
	struct tcg_vcpu *vcpu = vcpu_of(index);

	if (unlikely(add(vcpu, TCG_INSTRUCTIONS, (uintptr_t)instructions)))
		tell_all(vcpu);
}

static void run_branch(unsigned int index, void *instructions)
{
	struct tcg_vcpu *vcpu = vcpu_of(index);
	int due = add(vcpu, TCG_INSTRUCTIONS, (uintptr_t)instructions);

	due |= add(vcpu, TCG_BRANCHES, 1);
	if (unlikely(due))
		tell_all(vcpu);
}

static void run_block(unsigned int index, void *packed)
{
	uint64_t block = (uintptr_t)packed;
	struct tcg_vcpu *vcpu = vcpu_of(index);
	int due = add(vcpu, TCG_INSTRUCTIONS, block & BLOCK_INSTRUCTIONS);

	due |= add(vcpu, TCG_BRANCHES, (block & BLOCK_BRANCHES) >> BLOCK_BRANCHES_SHIFT);
	if (unlikely(due))
		tell_all(vcpu);
}

/*
 * A block that ends with a repeated instruction. QEMU begins a block of that instruction alone for
 * each further round, and nothing else was counted since the round before.
 */
static void run_repeated(unsigned int index, void *packed)
{
	uint64_t block = (uintptr_t)packed, mark = block >> BLOCK_MARK_SHIFT;
	struct tcg_vcpu *vcpu = vcpu_of(index);

	if ((block & BLOCK_ALONE) && vcpu->repeating == mark &&
	    vcpu->repeated_at == vcpu->count[TCG_INSTRUCTIONS])
		return;
	run_block(index, packed);
	vcpu->repeating = mark;
	vcpu->repeated_at = vcpu->count[TCG_INSTRUCTIONS];
}

static void run_access(unsigned int index, uint32_t access, uint64_t address, void *opaque)
{
	struct tcg_vcpu *vcpu = vcpu_of(index);

	(void)address;
	(void)opaque;
	if (unlikely(add(vcpu, qemu_plugin_mem_is_store(access) ? TCG_STORES : TCG_LOADS, 1)))
		tell_all(vcpu);
}

/* The pointer that brings a number to a callback. */
static void *carrier(uint64_t packed)
{
	void *pointer;

	_Static_assert(sizeof(pointer) == sizeof(packed), "a pointer holds what a block adds");
	memcpy(&pointer, &packed, sizeof(pointer));
	return pointer;
}

static unsigned int decode(const struct qemu_plugin_insn *instruction)
{
	if (!plugin.decode)
		return 0;
	return plugin.decode(qemu_plugin_insn_data(instruction),
			     qemu_plugin_insn_size(instruction));
}

/* Tells a repeated instruction from others that may follow it. Never 0. */
static uint64_t mark_of(const struct qemu_plugin_insn *instruction)
{
	uint64_t mixed = qemu_plugin_insn_vaddr(instruction) * 0x9e3779b97f4a7c15u;

	return (mixed >> 32) | 1u;
}

/* An instruction as a block of its own. */
static uint64_t pack(const struct qemu_plugin_insn *instruction)
{
	unsigned int what = decode(instruction);
	uint64_t packed = 1;

	if (what & DECODE_BRANCH)
		packed |= 1ull << BLOCK_BRANCHES_SHIFT;
	if (what & DECODE_REPEATED)
		packed |= BLOCK_ALONE | mark_of(instruction) << BLOCK_MARK_SHIFT;
	return packed;
}

/* A repeated instruction ends its block, so the mark is of the last. */
static uint64_t join(uint64_t block, uint64_t instruction)
{
	uint64_t both = BLOCK_INSTRUCTIONS | BLOCK_BRANCHES;
	uint64_t counts = (block & both) + (instruction & both);
	uint64_t alone = block ? 0 : instruction & BLOCK_ALONE;

	return counts | alone | (instruction >> BLOCK_MARK_SHIFT) << BLOCK_MARK_SHIFT;
}

typedef void (*runner)(unsigned int index, void *packed);

/* What is to run for a block, and what it is told. */
static runner choose(uint64_t block, void **told)
{
	uint64_t branches = block & BLOCK_BRANCHES;

	*told = carrier(block >> BLOCK_MARK_SHIFT ? block : block & BLOCK_INSTRUCTIONS);
	if (block >> BLOCK_MARK_SHIFT)
		return run_repeated;
	if (branches == 0)
		return run_straight;
	if (branches == 1ull << BLOCK_BRANCHES_SHIFT)
		return run_branch;
	*told = carrier(block);
	return run_block;
}

static void translate_one(struct qemu_plugin_insn *instruction, uint64_t packed)
{
	void *told;
	runner run = choose(packed, &told);

	if (plugin.precise)
		qemu_plugin_register_vcpu_insn_exec_cb(instruction, run, QEMU_PLUGIN_CB_NO_REGS,
						       told);
	if (plugin.memory)
		qemu_plugin_register_vcpu_mem_cb(instruction, run_access, QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_RW, NULL);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);
	uint64_t block = 0;
	runner run;
	void *told;

	(void)id;
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(tb, i);
		uint64_t packed = pack(instruction);

		block = join(block, packed);
		translate_one(instruction, packed);
	}
	run = choose(block, &told);
	if (!plugin.precise)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, run, QEMU_PLUGIN_CB_NO_REGS, told);
}

static uint64_t counted(void)
{
	uint64_t bits = 1u << TCG_INSTRUCTIONS;

	if (plugin.decode)
		bits |= 1u << TCG_BRANCHES;
	if (plugin.memory)
		bits |= 1u << TCG_LOADS | 1u << TCG_STORES;
	return plugin.precise ? bits | TCG_PRECISE : bits;
}

/* A source that reads meanwhile sees the generation change before anything else. */
static void prepare(struct tcg_header *header)
{
	uint64_t generation = (atomic_load(&header->generation) | 1u) + 2;

	atomic_store(&header->generation, generation);
	atomic_thread_fence(memory_order_seq_cst);
	memset(plugin.vcpus, 0, plugin.count * sizeof(*plugin.vcpus));
	for (uint32_t i = 0; i < plugin.count; i++)
		for (unsigned int kind = 0; kind < TCG_KINDS; kind++)
			atomic_store(&plugin.vcpus[i].target[kind], TCG_NEVER);
	header->magic = TCG_MAGIC;
	header->vcpus = plugin.count;
	header->counted = counted();
	atomic_store(&header->generation, generation + 1);
}

static int open_notify(const char *shared)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s.notify", shared) >= sizeof(path))
		return -1;
	if (mkfifo(path, 0600) < 0 && errno != EEXIST)
		return -1;
	/* Reading too, so that it opens and stays open without a reader. */
	return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

/* Never shorter: who still reads what an earlier QEMU counted would fault. */
static int make_longer(int file, uint64_t size)
{
	struct stat found;

	if (fstat(file, &found) < 0)
		return -1;
	return found.st_size < (off_t)size ? ftruncate(file, (off_t)size) : 0;
}

/*
 * What two count in one file would be a sum of both, so it is locked as long as this process lives.
 * That a file is not locked tells its reader that nobody counts in it any more.
 */
static int lock(int file)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(file, F_OFD_SETLK, &all);
}

static int open_shared(const char *path)
{
	uint64_t size = TCG_SHARED_SIZE(plugin.count);
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char *memory = MAP_FAILED;

	if (file < 0)
		return -1;
	if (lock(file) == 0 && make_longer(file, size) == 0)
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED) {
		int error = errno;

		close(file);
		errno = error;
		return -1;
	}
	plugin.vcpus = (struct tcg_vcpu *)(memory + TCG_VCPUS_AT);
	prepare((struct tcg_header *)memory);
	return 0;
}

static int complain(const char *what, const char *which)
{
	(void)fprintf(stderr, "libvpmu-tcg: %s%s%s\n", what, *which ? ": " : "", which);
	return -1;
}

static int take_argument(char *argument, const char **shared)
{
	if (strncmp(argument, "shared=", 7) == 0)
		*shared = argument + 7;
	else if (strcmp(argument, "memory=on") == 0 || strcmp(argument, "memory=off") == 0)
		plugin.memory = argument[8] == 'n';
	else if (strcmp(argument, "precise=on") == 0 || strcmp(argument, "precise=off") == 0)
		plugin.precise = argument[9] == 'n';
	else
		return complain("unknown argument", argument);
	return 0;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_plugin_info *info, int count,
			char **arguments)
{
	const char *shared = NULL;

	for (int i = 0; i < count; i++)
		if (take_argument(arguments[i], &shared) < 0)
			return -1;
	if (!shared)
		return complain("the argument shared=FILE is missing", "");
	if (!info->system_emulation || info->system.max_vcpus < 1 ||
	    info->system.max_vcpus > (int)TCG_MAX_VCPUS)
		return complain("this counts the 1 to 4096 vCPUs of a whole system", "");
	plugin.count = (uint32_t)info->system.max_vcpus;
	plugin.decode = decoder_for(info->target_name);
	plugin.notify = open_notify(shared);
	if (plugin.notify < 0 || open_shared(shared) < 0)
		return complain(errno == EAGAIN ? "another QEMU counts in this file" :
						  strerror(errno),
				shared);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
