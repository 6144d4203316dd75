/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A guest without an operating system on QEMU's machine virt. It finds the PCI device, counts
 * stores and instructions around loops that it knows, and prints what it read. Everything is
 * counted by the number of stores, since those of the guest's client are the same each time, while
 * the instructions with which it waits for answers are not.
 */
#include <stddef.h>
#include <stdint.h>

#include <vpmu/guest.h>

#if defined(__riscv)
#define CONFIGURATION 0x30000000ul
#define PCI_MEMORY 0x40000000ul
#define SERIAL 0x10000000ul
#define TASK 0x87000000ul
#define TICKS_PER_SECOND 10000000ul
static void machine_off(void)
{
	*(volatile uint32_t *)0x100000ul = 0x5555;
}
#elif defined(__loongarch__)
#define CONFIGURATION 0x20000000ul
#define PCI_MEMORY 0x40000000ul
#define SERIAL 0x1fe001e0ul
#define TASK 0x7000000ul
#define TICKS_PER_SECOND 100000000ul
static void machine_off(void)
{
	*(volatile uint8_t *)0x100e001cul = 0x34;
}
#endif

#define BAR0 PCI_MEMORY
#define BAR1 (PCI_MEMORY + 0x10000)
#define BAR2 (PCI_MEMORY + 0x10000000)
#define PATIENCE (120 * TICKS_PER_SECOND) /* the host may be busy */

/* What the guest is to do: QEMU's loader puts the number at TASK. */
enum { TASK_COUNT, TASK_SCRIBBLE, TASK_GO_ON, TASK_HOST, TASK_ASK, TASK_RING };

void bare_main(void);

/* ---- what the compiler may call -------------------------------------------------------------- */

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

void *memcpy(void *to, const void *from, size_t size)
{
	volatile unsigned char *bytes = to;

	for (size_t i = 0; i < size; i++)
		bytes[i] = ((const unsigned char *)from)[i];
	return to;
}

void *memset(void *to, int value, size_t size)
{
	volatile unsigned char *bytes = to;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)value;
	return to;
}

/* ---- printing -------------------------------------------------------------------------------- */

static void put(char one)
{
	volatile uint8_t *serial = (volatile uint8_t *)SERIAL;

	while (!(serial[5] & 0x20))
		;
	serial[0] = (uint8_t)one;
}

static void print(const char *text)
{
	while (*text)
		put(*text++);
}

static void print_number(uint64_t number)
{
	char digits[20];
	int count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (count > 0)
		put(digits[--count]);
}

static void print_pair(const char *name, uint64_t number, uint64_t value)
{
	print(name);
	put(' ');
	print_number(number);
	put(' ');
	print_number(value);
	put('\n');
}

static void stop(const char *why, int error)
{
	print_pair(why, 0, (uint64_t)(error < 0 ? -error : error));
	machine_off();
	for (;;)
		;
}

static uint64_t machine_time(void)
{
	uint64_t now;

#if defined(__riscv)
	__asm__ volatile("rdtime %0" : "=r"(now));
#else
	__asm__ volatile("rdtime.d %0, $zero" : "=r"(now));
#endif
	return now;
}

/* ---- the device ------------------------------------------------------------------------------ */

static volatile uint32_t *configuration(unsigned int device, unsigned int byte)
{
	return (volatile uint32_t *)(CONFIGURATION + ((unsigned long)device << 15) + byte);
}

static unsigned int find_device(void)
{
	for (unsigned int device = 0; device < 32; device++)
		if (*configuration(device, 0) == (VPMU_PCI_DEVICE << 16 | VPMU_PCI_VENDOR))
			return device;
	stop("no device", 0);
	return 0;
}

/* Without firmware nobody gave it addresses. */
static uint64_t place_device(unsigned int device)
{
	uint64_t size;

	*configuration(device, 0x18) = 0xffffffffu;
	size = ~(*configuration(device, 0x18) & ~15u) + 1u;
	*configuration(device, 0x10) = (uint32_t)BAR0;
	*configuration(device, 0x14) = (uint32_t)BAR1;
	*configuration(device, 0x18) = (uint32_t)BAR2;
	*configuration(device, 0x1c) = 0;
	*configuration(device, 4) |= 2;
	return size;
}

static volatile struct vpmu_pci_header *header(void)
{
	return (volatile struct vpmu_pci_header *)(BAR2 + VPMU_PCI_HEADER_AT);
}

/* Rule R-PCI-3: found by the number of the hardware, which is 0 for the one that works. */
static uint32_t find_block(void)
{
	volatile uint64_t *table = (volatile uint64_t *)(BAR2 + VPMU_PCI_TABLE_AT);
	uint64_t until = machine_time() + PATIENCE;

	while (machine_time() < until)
		for (uint32_t i = 0; header()->attendance && i < 16; i++)
			if (table[i] == VPMU_PCI_VCPU_PRESENT)
				return i;
	stop("nobody attends", 0);
	return 0;
}

static void ring(void *opaque)
{
	uint32_t block = *(const uint32_t *)opaque;
	uint32_t vectors = (uint32_t)header()->vectors;

	*(volatile uint32_t *)(BAR0 + VPMU_PCI_DOORBELL) = (uint32_t)header()->peer << 16 |
							   block % (vectors ? vectors : 1);
}

/* ---- work ------------------------------------------------------------------------------------ */

static struct vpmu_guest guest;
static struct vpmu_guest_mailbox mailbox;
static struct vpmu_guest_batch batch;
static uint64_t words[VPMU_GUEST_MAILBOX_WORDS];
static volatile uint64_t sink;

static void store_often(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		sink = i;
}

static void must(const char *what, int error)
{
	if (error)
		stop(what, error);
}

static const struct guest_perf_attr stores = {
	.type = VPMU_TYPE_CACHE,
	.config = VPMU_CACHE_L1D | VPMU_CACHE_OP_WRITE << 8,
};
static const struct guest_perf_attr instructions = {
	.type = VPMU_TYPE_HARDWARE,
	.config = VPMU_HARDWARE_INSTRUCTIONS,
};
static const struct guest_perf_attr cycles = {
	.type = VPMU_TYPE_HARDWARE,
	.config = VPMU_HARDWARE_CYCLES,
};

static void open_slots(uint64_t mask, const struct guest_perf_attr *attrs)
{
	struct guest_perf_event events[3];
	uint64_t failed;

	must("open",
	     vpmu_guest_open(&guest, &batch, mask, attrs, VPMU_GUEST_ENABLE, events, &failed));
	if (failed)
		stop("not opened", (int)failed);
}

static void close_slots(uint64_t mask)
{
	uint64_t failed;

	must("close", vpmu_guest_close(&guest, &batch, mask, NULL, &failed));
}

static void read_slots(uint64_t mask, struct guest_perf_event *events)
{
	uint64_t failed;

	must("read", vpmu_guest_read_fresh(&guest, &batch, mask, events, &failed));
	if (failed)
		stop("not read", (int)failed);
}

/* ---- tasks ----------------------------------------------------------------------------------- */

/* Between two readings there are the stores of the loop, and those of a reading, which are the same
 * each time. */
static void count_loops(void)
{
	static const uint64_t loops[] = { 0, 0, 1, 1000, 100000, 5000000 };
	struct guest_perf_attr attrs[2] = { stores, instructions };

	open_slots(3, attrs);
	for (unsigned int i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
		struct guest_perf_event before[2], after[2];

		read_slots(3, before);
		store_often(loops[i]);
		read_slots(3, after);
		print_pair("stores", loops[i], after[0].count - before[0].count);
		print_pair("instructions", loops[i], after[1].count - before[1].count);
		print_pair("time", after[0].time_enabled, after[0].time_running);
	}
	close_slots(3);
}

/* Overflows are noticed while the guest runs: pending is set without anybody reading. */
static void overflow(void)
{
	const struct guest_perf_event *record;
	struct guest_perf_attr attr = stores;
	uint64_t until = machine_time() + PATIENCE;

	attr.sample_period = guest.period_floor;
	record = (const struct guest_perf_event *)((const char *)mailbox.block + 64);
	open_slots(1, &attr);
	while (!((const volatile struct vpmu_area_header *)mailbox.block)->pending) {
		store_often(10);
		if (machine_time() > until)
			stop("no overflow", 0);
	}
	print_pair("overflow", attr.sample_period, record->count);
	close_slots(1);
}

static void refusals(void)
{
	struct guest_perf_event event;
	uint64_t failed;

	must("check", vpmu_guest_check(&guest, &batch, 1, &cycles, &event, &failed));
	print_pair("cycles", failed,
		   (event.status & VPMU_EVENT_WORD_STATUS_REASON_MASK) >>
			   VPMU_EVENT_WORD_STATUS_REASON_SHIFT);
}

static uint64_t read_register(uint32_t index)
{
	uint64_t value = 0;

	must("register", guest.way->read(&mailbox, VPMU_CONTEXT_TASK, index, &value));
	return value;
}

static void await_another(uint64_t attended)
{
	uint64_t until = machine_time() + PATIENCE;

	while (!header()->attendance || header()->attendance == attended)
		if (machine_time() > until)
			stop("the host does not come back", 0);
	find_block();
}

/* The host process leaves in good order when the line is printed: the next one has its counts. */
static void outlive_leaving(void)
{
	uint64_t attended = header()->attendance, epoch = read_register(VPMU_REG_EPOCH);
	struct guest_perf_attr attrs[2] = { stores, instructions };
	struct guest_perf_event before[2], after[2], last[2];
	uint64_t failed;

	open_slots(3, attrs);
	must("disable", vpmu_guest_disable(&guest, &batch, 2, NULL, &failed));
	read_slots(3, before);
	print_pair("leave", read_register(VPMU_REG_OPENED), 3);
	await_another(attended);
	read_slots(3, after);
	print_pair("kept", read_register(VPMU_REG_OPENED), read_register(VPMU_REG_EPOCH) != epoch);
	for (unsigned int i = 0; i < 2; i++)
		print_pair(i ? "disabled" : "enabled",
			   (vpmu_guest_event_flags(&after[i]) & VPMU_EVENT_INCOMPLETE) != 0,
			   (uint32_t)before[i].continuity == (uint32_t)after[i].continuity);
	store_often(1000);
	read_slots(3, last);
	print_pair("goes on", last[0].count - after[0].count >= 1000,
		   after[0].count >= before[0].count);
	print_pair("stands", before[1].count, last[1].count);
	close_slots(3);
}

/* The host process is killed when the line is printed, and another one begins to attend. */
static void outlive_host(void)
{
	uint64_t attended = header()->attendance, epoch = read_register(VPMU_REG_EPOCH);

	open_slots(1, &stores);
	print_pair("open", read_register(VPMU_REG_OPENED), 1);
	await_another(attended);
	print_pair("epoch moved", read_register(VPMU_REG_OPENED),
		   read_register(VPMU_REG_EPOCH) != epoch);
	open_slots(1, &stores);
	close_slots(1);
}

static int begin(uint64_t size)
{
	static uint32_t block;
	int error;

	block = find_block();
	mailbox.doorbell = ring;
	mailbox.opaque = &block;
	mailbox.tries = UINT32_MAX;
	batch.words = words;
	batch.capacity = sizeof(words) / sizeof(words[0]);
	batch.context = VPMU_CONTEXT_TASK;
	error = vpmu_guest_mailbox_prepare(&mailbox, (void *)BAR2, size, block);
	if (!error)
		error = vpmu_guest_start(&guest, vpmu_guest_way_mailbox(), &mailbox,
					 VPMU_REGISTERS);
	return error ? error : vpmu_guest_area_on_block(&guest, VPMU_CONTEXT_TASK, mailbox.block);
}

static void count(uint64_t size)
{
	must("begin", begin(size));
	print_pair("vcpu", guest.vcpu, guest.slots);
	refusals();
	count_loops();
	overflow();
	outlive_leaving();
	outlive_host();
}

static uint64_t next_random(void)
{
	static uint64_t state;

	if (!state)
		state = ((volatile uint64_t *)TASK)[1] | 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Requests of which nothing holds together, in the midst of noise, over the whole region. */
static void scribble(uint64_t size)
{
	volatile uint64_t *region = (volatile uint64_t *)BAR2;

	find_block();
	for (unsigned int i = 0; i < 300000; i++) {
		uint64_t random = next_random();
		uint64_t at = next_random() % (size / 8);

		if (random & 1)
			at = (16384 * (1 + random / 2 % 4) + 4096 * (1 + random / 8 % 3)) / 8;
		region[at + 1] = next_random() >> (random >> 58);
		region[at] = (random >> 8 & 0x3fffffffffu) | (next_random() % 1200) << 48;
		*(volatile uint32_t *)(BAR0 + VPMU_PCI_DOORBELL) =
			random & 6 ? 1u << 16 | (uint32_t)(random >> 20 & 1) : (uint32_t)random;
	}
	print_pair("scribbled", size, 0);
}

/* Whether only the epoch moved between two readings: the slot is the one that it was, and its
 * counts go on. */
static int was_carried(const struct guest_perf_event *before, const struct guest_perf_event *after)
{
	uint64_t moved = before->continuity ^ after->continuity;

	return moved && !(moved & VPMU_EVENT_WORD_CONTINUITY_GENERATION_MASK) &&
	       !(vpmu_guest_event_flags(after) & VPMU_EVENT_INCOMPLETE) &&
	       after->count >= before->count;
}

/* One reading of a loop whose stores are known; 0, or 1 when the guest was told that continuity
 * broke. */
static int go_on_once(uint64_t own, uint64_t *read)
{
	struct guest_perf_event before, after;
	uint64_t failed, loop = next_random() % 20000;
	struct vpmu_guest_delta delta;
	int broken;

	if (vpmu_guest_read_fresh(&guest, &batch, 1, &before, &failed) || failed)
		return 1;
	store_often(loop);
	if (vpmu_guest_read_fresh(&guest, &batch, 1, &after, &failed) || failed)
		return 1;
	broken = vpmu_guest_delta(&before, &after, &delta) || (delta.flags & VPMU_EVENT_INCOMPLETE);
	if (broken && !was_carried(&before, &after))
		return 1;
	*read = after.count - before.count - loop;
	if (broken)
		print_pair("carried", before.count, after.count);
	/* At each reading the host may be before or behind the ring itself, a store. */
	if (own && *read - own + 2 > 4)
		print_pair("wrong", loop, after.count - before.count);
	return 0;
}

/* Counts until it is killed. Whatever becomes of the host process: a number is right, or said to be
 * none. */
static void go_on(uint64_t size)
{
	static uint64_t own; /* stores of a reading, the same each time */

	for (unsigned int life = 0;; life++) {
		struct guest_perf_event event;
		uint64_t failed;

		while (begin(size))
			;
		if (vpmu_guest_open(&guest, &batch, 1, &stores, VPMU_GUEST_ENABLE, &event,
				    &failed) ||
		    failed) {
			guest.way->write(&mailbox, VPMU_CONTEXT_TASK, VPMU_REG_RESET,
					 VPMU_RESET_VCPU);
			continue;
		}
		print_pair("life", life, 0);
		for (unsigned int rounds = 1; !go_on_once(own, &failed); rounds++) {
			own = own ? own : failed;
			if (rounds % 500 == 0)
				print_pair("rounds", rounds, own);
		}
		print_pair("broken", life, 0);
	}
}

/* What the host sees of its thread, when its operator grants that. */
static void count_host(uint64_t size)
{
	static const struct guest_perf_attr clock = {
		.type = VPMU_TYPE_HOST_SOFTWARE,
		.config = VPMU_SOFTWARE_TASK_CLOCK,
	};
	struct guest_perf_event before, after;

	must("begin", begin(size));
	refusals();
	open_slots(1, &clock);
	read_slots(1, &before);
	store_often(3000000);
	read_slots(1, &after);
	print_pair("task-clock", after.count - before.count,
		   after.time_running - before.time_running);
}

/* ---- what a round trip costs ----------------------------------------------------------------- */

/* The median of many, in ticks of the machine's clock. */
static uint64_t median_of(uint64_t *times, unsigned int count)
{
	for (unsigned int i = 1; i < count; i++)
		for (unsigned int j = i; j > 0 && times[j - 1] > times[j]; j--) {
			uint64_t moved = times[j];

			times[j] = times[j - 1];
			times[j - 1] = moved;
		}
	return times[count / 2];
}

#define ROUNDS 2001u

static uint64_t times[ROUNDS];

static void time_asking(uint64_t size)
{
	must("begin", begin(size));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t from = machine_time();

		read_register(VPMU_REG_EPOCH);
		times[i] = machine_time() - from;
	}
	print_pair("round trip", ROUNDS, median_of(times, ROUNDS));
}

/* The same with a host process that only stores one word: block 0 has the question, and 64 bytes on
 * the answer. */
static void time_ringing(void)
{
	volatile uint64_t *question = (volatile uint64_t *)(BAR2 + 16384);

	/* Until QEMU knows whom to tell, a ring is lost. */
	for (question[0] = ROUNDS + 1; question[8] != ROUNDS + 1;)
		*(volatile uint32_t *)(BAR0 + VPMU_PCI_DOORBELL) = 1u << 16;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t from = machine_time();

		question[0] = i + 1;
		*(volatile uint32_t *)(BAR0 + VPMU_PCI_DOORBELL) = 1u << 16;
		while (question[8] != i + 1)
			;
		times[i] = machine_time() - from;
	}
	print_pair("round trip", ROUNDS, median_of(times, ROUNDS));
}

void bare_main(void)
{
	uint64_t size = place_device(find_device());

	switch (*(volatile uint32_t *)TASK) {
	case TASK_SCRIBBLE:
		scribble(size);
		break;
	case TASK_GO_ON:
		go_on(size);
		break;
	case TASK_HOST:
		count_host(size);
		break;
	case TASK_ASK:
		time_asking(size);
		break;
	case TASK_RING:
		time_ringing();
		break;
	default:
		count(size);
	}
	stop("done", 0);
}
