/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * host SOCKET COUNTS VECTORS [slots=N] [counting=N] [silent=N] [absent=N]: the host process beside
 * a QEMU, as small as it can be, for tests of guests.
 *
 * Serves a doorbell device (ivshmem) on SOCKET, and behind it the mailbox of libvpmu with the
 * counts of the TCG plugin in the file COUNTS. Reads the numbers of QEMU's vCPU threads from
 * standard input, one line, and attends from then on. Further lines, each behind the answer to the
 * one before: "deaf" stops answering the guest, "attend" answers it again, "report" does nothing.
 * The answer to each line comes when that is done: how many requests were answered, interrupts, and
 * slots that are open. Ends with its QEMU.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <vpmu/tcg.h>
#include <vpmu/transport.h>

#define REGION (1u << 20)
#define MOST_VCPUS 8
#define MOST_VECTORS 8
#define NOBODY UINT32_MAX
#define PEER 0 /* this process; QEMU is 1 */

static struct {
	char *region;
	int region_file, vectors, qemu, notify, deaf;
	uint32_t silent, absent; /* a vCPU that gets no answers, and one without a block; NOBODY */
	int bells[MOST_VECTORS], interrupts[MOST_VECTORS];
	uint32_t vcpu_count;
	long threads[MOST_VCPUS];
	struct vpmu_vm *vm;
	struct vpmu_vcpu *vcpus[MOST_VCPUS];
	struct vpmu_tcg *tcg;
	struct vpmu_profile profile;
	uint64_t served, interrupted;
} host;

static void fail(const char *what)
{
	fprintf(stderr, "host: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- what the library asks ------------------------------------------------------------------- */

static void *allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	return calloc(1, size);
}

static void release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	(void)size;
	free(memory);
}

static int guest_check(void *opaque, uint32_t vcpu, uint64_t address, uint64_t size)
{
	(void)opaque;
	(void)vcpu;
	return address < REGION && size <= REGION - address ? 0 : VPMU_ERROR_MEMORY;
}

static int guest_read(void *opaque, uint32_t vcpu, uint64_t address, void *to, uint64_t size)
{
	if (guest_check(opaque, vcpu, address, size) < 0)
		return VPMU_ERROR_MEMORY;
	memcpy(to, host.region + address, size);
	return 0;
}

static int guest_write(void *opaque, uint32_t vcpu, uint64_t address, const void *from,
		       uint64_t size)
{
	if (guest_check(opaque, vcpu, address, size) < 0)
		return VPMU_ERROR_MEMORY;
	memcpy(host.region + address, from, size);
	return 0;
}

static int guest_store(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value)
{
	if (guest_check(opaque, vcpu, address, sizeof(value)) < 0)
		return VPMU_ERROR_MEMORY;
	atomic_thread_fence(memory_order_seq_cst);
	__atomic_store_n((uint64_t *)(void *)(host.region + address), value, __ATOMIC_SEQ_CST);
	return 0;
}

static int interrupt(void *opaque, uint32_t vcpu, uint32_t mode, uint32_t vector)
{
	uint64_t one = 1;

	(void)opaque;
	(void)mode;
	(void)vector;
	if (write(host.interrupts[vcpu % (uint32_t)host.vectors], &one, sizeof(one)) != sizeof(one))
		return VPMU_ERROR_SYSTEM;
	host.interrupted++;
	return 0;
}

static uint64_t now(void *opaque)
{
	struct timespec time;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void say(void *opaque, uint32_t level, const char *text)
{
	(void)opaque;
	fprintf(stderr, "host: %" PRIu32 " %s\n", level, text);
}

static int64_t thread_time(void *opaque, uint32_t vcpu)
{
	char path[64], text[64] = "";
	int file;
	ssize_t got;

	(void)opaque;
	snprintf(path, sizeof(path), "/proc/%ld/schedstat", host.threads[vcpu]);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return VPMU_ERROR_GONE;
	got = read(file, text, sizeof(text) - 1);
	close(file);
	return got > 0 ? strtoll(text, NULL, 10) : VPMU_ERROR_GONE;
}

/* ---- the doorbell device --------------------------------------------------------------------- */

static void tell(int64_t value, int file)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec part = { .iov_base = &value, .iov_len = sizeof(value) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (file >= 0) {
		struct cmsghdr *head;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &file, sizeof(int));
	}
	if (sendmsg(host.qemu, &message, 0) < 0)
		fail("sendmsg");
}

/* docs/specs/ivshmem-spec.txt of QEMU: version, own number, the memory, then every peer's
 * eventfds. */
static void greet(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (bind(listening, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listening, 1) < 0)
		fail(path);
	puts("listening");
	fflush(stdout);
	host.qemu = accept(listening, NULL, NULL);
	if (host.qemu < 0)
		fail("accept");
	close(listening);
	tell(0, -1);
	tell(1, -1);
	tell(-1, host.region_file);
	for (int i = 0; i < host.vectors; i++)
		tell(PEER, host.bells[i]);
	for (int i = 0; i < host.vectors; i++)
		tell(1, host.interrupts[i]);
}

static void make_region(void)
{
	host.region_file = memfd_create("vpmu", MFD_CLOEXEC);
	if (host.region_file < 0 || ftruncate(host.region_file, REGION) < 0)
		fail("memfd");
	host.region = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_SHARED, host.region_file, 0);
	if (host.region == MAP_FAILED)
		fail("mmap");
	for (int i = 0; i < host.vectors; i++) {
		host.bells[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		host.interrupts[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	}
}

/* ---- the device ------------------------------------------------------------------------------ */

static void make_source(const char *path)
{
	struct vpmu_tcg_config config = {
		.size = sizeof(config),
		.thread_time = thread_time,
		.allocate = allocate,
		.release = release,
	};
	char notify[4096];
	struct stat state;
	int file = open(path, O_RDWR | O_CLOEXEC);

	if (file < 0 || fstat(file, &state) < 0)
		fail(path);
	config.shared_size = (uint64_t)state.st_size;
	config.shared = mmap(NULL, config.shared_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (config.shared == MAP_FAILED)
		fail(path);
	if (vpmu_tcg_create(&config, &host.tcg) < 0)
		fail("no plugin has prepared the file");
	snprintf(notify, sizeof(notify), "%s.notify", path);
	/* Read and write, so that it never ends. */
	host.notify = open(notify, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (host.notify < 0)
		fail(notify);
}

static void put(uint64_t at, uint64_t value)
{
	guest_store(NULL, 0, at, value);
}

/* What a guest reads first; anew too, since a guest may have written over it. */
static void publish(void)
{
	if (vpmu_mailbox_format(host.vm, host.vcpu_count) < 0)
		fail("the region");
	for (uint32_t i = 0; i < host.vcpu_count; i++)
		put(VPMU_PCI_TABLE_AT + 8ull * i, i == host.absent ? 0 : VPMU_PCI_VCPU_PRESENT | i);
	put(VPMU_PCI_HEADER_AT + offsetof(struct vpmu_pci_header, peer), PEER);
	put(VPMU_PCI_HEADER_AT + offsetof(struct vpmu_pci_header, vectors), (uint64_t)host.vectors);
	put(VPMU_PCI_HEADER_AT + offsetof(struct vpmu_pci_header, attendance), now(NULL));
}

static void make_vm(void)
{
	static const struct vpmu_host_ops ops = {
		.size = sizeof(ops),
		.allocate = allocate,
		.release = release,
		.guest_check = guest_check,
		.guest_read = guest_read,
		.guest_write = guest_write,
		.guest_store = guest_store,
		.pmi = interrupt,
		.clock = now,
		.log = say,
	};
	struct vpmu_config config = {
		.size = sizeof(config),
		.profile = &host.profile,
		.host = &ops,
		.source = vpmu_tcg_ops(),
		.source_opaque = host.tcg,
	};

	if (vpmu_vm_create(&config, &host.vm) < 0)
		fail("the VM");
	for (uint32_t i = 0; i < host.vcpu_count; i++)
		if (vpmu_vcpu_add(host.vm, i, &host.vcpus[i]) < 0 ||
		    vpmu_vcpu_bind(host.vcpus[i], i) < 0)
			fail("a vCPU");
	publish();
}

static void serve(void)
{
	for (uint32_t i = 0; i < host.vcpu_count; i++) {
		int served = i == host.silent ? 0 : vpmu_mailbox_serve(host.vcpus[i], i);

		host.served += served > 0 ? (uint64_t)served : 0;
		vpmu_tcg_notified(host.tcg, i);
		vpmu_vcpu_enter(host.vcpus[i]);
	}
}

static int wait_time(void)
{
	uint64_t deadline = VPMU_NO_DEADLINE, time = now(NULL);

	for (uint32_t i = 0; i < host.vcpu_count; i++) {
		uint64_t one = vpmu_vcpu_deadline(host.vcpus[i]);

		deadline = one < deadline ? one : deadline;
	}
	if (deadline == VPMU_NO_DEADLINE)
		return -1;
	return deadline <= time ? 0 : (int)((deadline - time) / 1000000 + 1);
}

static void empty(int file)
{
	char rest[4096];

	while (read(file, rest, sizeof(rest)) > 0)
		;
}

/* ---- commands -------------------------------------------------------------------------------- */

static void take_threads(void)
{
	char line[256];
	char *at = line, *end;

	if (!fgets(line, sizeof(line), stdin))
		exit(0);
	for (; host.vcpu_count < MOST_VCPUS; at = end) {
		long thread = strtol(at, &end, 10);

		if (end == at)
			break;
		host.threads[host.vcpu_count++] = thread;
	}
}

static void report(void)
{
	uint64_t opened, open = 0;

	for (uint32_t i = 0; i < host.vcpu_count; i++)
		if (vpmu_vcpu_read(host.vcpus[i], VPMU_REG_OPENED, &opened) == VPMU_ACCESS_DONE)
			for (; opened; opened &= opened - 1)
				open++;
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", host.served, host.interrupted, open);
	fflush(stdout);
}

static void take_command(void)
{
	char line[64] = "";
	ssize_t got = read(STDIN_FILENO, line, sizeof(line) - 1);

	if (got <= 0)
		return;
	if (strncmp(line, "deaf", 4) == 0) {
		host.deaf = 1;
	} else if (strncmp(line, "attend", 6) == 0) {
		host.deaf = 0;
		publish();
	}
	report();
}

static void attend(void)
{
	enum { QEMU, NOTIFY, COMMAND, BELLS };
	struct pollfd files[BELLS + MOST_VECTORS] = {
		[QEMU] = { .fd = host.qemu, .events = POLLIN },
		[NOTIFY] = { .fd = host.notify, .events = POLLIN },
		[COMMAND] = { .fd = STDIN_FILENO, .events = POLLIN },
	};

	for (int i = 0; i < host.vectors; i++)
		files[BELLS + i] = (struct pollfd){ .fd = host.bells[i], .events = POLLIN };
	for (;;) {
		if (poll(files, BELLS + (nfds_t)host.vectors, wait_time()) < 0)
			fail("poll");
		if (files[QEMU].revents)
			break;
		if (files[COMMAND].revents & POLLIN)
			take_command();
		else if (files[COMMAND].revents)
			files[COMMAND].fd = -1;
		for (int i = 0; i < host.vectors; i++)
			empty(host.bells[i]);
		empty(host.notify);
		if (!host.deaf)
			serve();
	}
	printf("served %" PRIu64 " interrupts %" PRIu64 "\n", host.served, host.interrupted);
}

static void take_option(const char *word)
{
	if (sscanf(word, "slots=%" SCNu32, &host.profile.slots) != 1 &&
	    sscanf(word, "counting=%" SCNu32, &host.profile.counting) != 1 &&
	    sscanf(word, "silent=%" SCNu32, &host.silent) != 1 &&
	    sscanf(word, "absent=%" SCNu32, &host.absent) != 1 &&
	    sscanf(word, "pmi_rate=%" SCNu32, &host.profile.pmi_rate) != 1)
		exit(2);
}

int main(int count, char **words)
{
	if (count < 4)
		return 2;
	host.silent = host.absent = NOBODY;
	vpmu_profile_default(&host.profile);
	host.profile.features &= ~(uint64_t)VPMU_FEATURE_PMI_NMI;
	for (int i = 4; i < count; i++)
		take_option(words[i]);
	host.vectors = atoi(words[3]);
	if (host.vectors < 1 || host.vectors > MOST_VECTORS)
		return 2;
	/* A guest has not had this epoch, of an earlier run with the same memory. */
	host.profile.epoch = now(NULL) & ~(1ull << 63);
	make_region();
	greet(words[1]);
	take_threads();
	make_source(words[2]);
	make_vm();
	report();
	attend();
	return 0;
}
